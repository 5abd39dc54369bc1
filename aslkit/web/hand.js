// The hand's skeleton over the picture.

const BONES = [
  [0, 1, 2, 3, 4],
  [0, 5, 6, 7, 8],
  [5, 9, 10, 11, 12],
  [9, 13, 14, 15, 16],
  [13, 17, 18, 19, 20],
  [0, 17],
];

/** Draw 21 joints and their box, as shares of the picture, on a canvas that lies over it; null where there is no hand. */
export function drawHand(canvas, landmarks, box, colour) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const sharp = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * sharp)) canvas.width = Math.round(width * sharp);
  if (canvas.height !== Math.round(height * sharp)) canvas.height = Math.round(height * sharp);
  const pen = canvas.getContext("2d");
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  pen.clearRect(0, 0, width, height);
  if (!landmarks) return;
  const at = ([x, y]) => [x * width, y * height];
  pen.lineJoin = pen.lineCap = "round";
  for (const [line, stroke] of [[5, "rgb(0 0 0 / 45%)"], [2.5, colour]]) {
    pen.lineWidth = line;
    pen.strokeStyle = stroke;
    pen.beginPath();
    for (const bone of BONES) bone.forEach((joint, n) => (n ? pen.lineTo(...at(landmarks[joint])) : pen.moveTo(...at(landmarks[joint]))));
    pen.stroke();
  }
  pen.fillStyle = colour;
  for (const joint of landmarks) {
    pen.beginPath();
    pen.arc(...at(joint), 3.5, 0, 7);
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
