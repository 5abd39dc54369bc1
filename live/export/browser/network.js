"use strict";
// The forward pass of a network for landmarks or embeddings, like aslkit/inference/network.py.

/** Decode weights of model.js: base64 of little-endian float32. */
function decodeWeights(encoded) {
  const text = atob(encoded.float32);
  // DataView, because Float32Array would use the byte order of the machine.
  const bytes = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i += 1) bytes.setUint8(i, text.charCodeAt(i));
  return Float32Array.from({ length: text.length / 4 }, (_, i) => bytes.getFloat32(4 * i, true));
}

function softmax(values) {
  const maximum = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = values.map((value) => Math.exp(value - maximum));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((exponential) => exponential / sum);
}

function dense(values, kernel, bias) {
  // Sums are computed in double precision and rounded once at the end.
  const outputs = Float64Array.from(bias);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    // Common after a relu.
    if (value === 0) continue;
    for (let j = 0, k = i * outputs.length; j < outputs.length; j += 1, k += 1) outputs[j] += value * kernel[k];
  }
  return Float32Array.from(outputs);
}

/** Kind of layer to a function that takes the encoded weights and returns the layer's forward pass. */
const LAYERS = {
  normalise(layer) {
    const [mean, deviation] = [decodeWeights(layer.mean), decodeWeights(layer.deviation)];
    return (values) => values.map((value, i) => (value - mean[i]) / deviation[i]);
  },
  scale(layer) {
    const [scale, shift] = [decodeWeights(layer.scale), decodeWeights(layer.shift)];
    return (values) => values.map((value, i) => value * scale[i] + shift[i]);
  },
  dense(layer) {
    const [kernel, bias] = [decodeWeights(layer.kernel), decodeWeights(layer.bias)];
    return (values) => dense(values, kernel, bias);
  },
  slice(layer) {
    const [start, stop] = layer.size;
    return (values) => values.slice(start, stop);
  },
  flatten: () => (values) => values,
  relu: () => (values) => values.map((value) => Math.max(value, 0)),
  softmax: () => softmax,
};

/** Create a network from model.js: a function from inputs to probabilities, both Float32Array. */
function createNetwork(file) {
  const members = file.members.map((layers) => layers.map((layer) => LAYERS[layer.kind](layer)));
  return (inputs) => {
    const outputs = members.map((layers) => layers.reduce((values, layer) => layer(values), inputs));
    return outputs[0].map((_, i) => outputs.reduce((sum, output, member) => sum + file.weights[member] * output[i], 0));
  };
}

/** Divide the logarithms of probabilities by a temperature, and normalise their sum to 1. */
function applyTemperature(probabilities, temperature) {
  return softmax(probabilities.map((probability) => Math.log(Math.max(probability, 1e-12)) / temperature));
}
