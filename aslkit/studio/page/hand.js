// Draws the hand skeleton over the camera image.

const BONES = [
  [0, 1, 2, 3, 4],
  [0, 5, 6, 7, 8],
  [5, 9, 10, 11, 12],
  [9, 13, 14, 15, 16],
  [13, 17, 18, 19, 20],
  [0, 17],
];

/**
 * Draw a hand on a canvas that covers the image, or clear the canvas if `landmarks` is null.
 *
 * @param landmarks 21 joints [x, y], 0 to 1 from the left and top edge of the image.
 * @param box bounding box [left, top, right, bottom] in the same units.
 */
export function drawHand(canvas, landmarks, box, colour) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const pixelRatio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * pixelRatio)) canvas.width = Math.round(width * pixelRatio);
  if (canvas.height !== Math.round(height * pixelRatio)) canvas.height = Math.round(height * pixelRatio);
  const pen = canvas.getContext("2d");
  pen.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  pen.clearRect(0, 0, width, height);
  if (!landmarks) return;
  const toPixels = ([x, y]) => [x * width, y * height];
  pen.lineJoin = pen.lineCap = "round";
  for (const [lineWidth, stroke] of [[5, "rgb(0 0 0 / 45%)"], [2.5, colour]]) {
    pen.lineWidth = lineWidth;
    pen.strokeStyle = stroke;
    pen.beginPath();
    for (const bone of BONES) {
      bone.forEach((joint, index) => {
        const point = toPixels(landmarks[joint]);
        if (index) pen.lineTo(...point);
        else pen.moveTo(...point);
      });
    }
    pen.stroke();
  }
  pen.fillStyle = colour;
  for (const joint of landmarks) {
    pen.beginPath();
    pen.arc(...toPixels(joint), 3.5, 0, 7);
    pen.fill();
  }
  const [left, top, right, bottom] = box;
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.globalAlpha = 0.7;
  pen.beginPath();
  pen.roundRect(left * width - 12, top * height - 12, (right - left) * width + 24, (bottom - top) * height + 24, 12);
  pen.stroke();
  pen.globalAlpha = 1;
}
