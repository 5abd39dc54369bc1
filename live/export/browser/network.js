"use strict";
// The forward pass of aslkit/forward.py once more, for the layers that a landmark network has.

/** Weights as model.json has them: base64 of little-endian float32. */
function decoded(coded) {
  const text = atob(coded.float32);
  const bytes = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i += 1) bytes.setUint8(i, text.charCodeAt(i));
  return Float32Array.from({ length: text.length / 4 }, (_, i) => bytes.getFloat32(4 * i, true));
}

function softmax(values) {
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = values.map((value) => Math.exp(value - most));
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / sum);
}

function dense(values, kernel, bias) {
  const out = Float64Array.from(bias);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    for (let j = 0, at = i * out.length; value !== 0 && j < out.length; j += 1, at += 1) out[j] += value * kernel[at];
  }
  return Float32Array.from(out);
}

/** Each kind of layer: its weights as the file has them, to a function of the values before it. */
const LAYERS = {
  normalise({ mean, deviation }) {
    const [from, by] = [decoded(mean), decoded(deviation)];
    return (values) => values.map((value, i) => (value - from[i]) / by[i]);
  },
  scale({ scale, shift }) {
    const [by, and] = [decoded(scale), decoded(shift)];
    return (values) => values.map((value, i) => value * by[i] + and[i]);
  },
  dense(layer) {
    const [kernel, bias] = [decoded(layer.kernel), decoded(layer.bias)];
    return (values) => dense(values, kernel, bias);
  },
  flatten: () => (values) => values,
  relu: () => (values) => values.map((value) => Math.max(value, 0)),
  softmax: () => softmax,
};

/** A network out of model.js: a function from Float32Array inputs to Float32Array probabilities. */
function networkOf(file) {
  const members = file.members.map((layers) => layers.map((layer) => LAYERS[layer.kind](layer)));
  return (inputs) => {
    const said = members.map((steps) => steps.reduce((values, step) => step(values), inputs));
    return said[0].map((_, i) => said.reduce((sum, one) => sum + one[i], 0) / said.length);
  };
}

/** Divide the logarithms of probabilities by a temperature, and let them sum to one again. */
function tempered(probabilities, temperature) {
  return softmax(probabilities.map((share) => Math.log(Math.max(share, 1e-12)) / temperature));
}
