// The picture of a result: a cell for every few neighbouring channels, from dark to bright.

const LAST_LEVEL = 254;
const NAN_LEVEL = 255;
// So many of the largest have the last colour, so that one outlier does not leave the others dark.
const CLIPPED = 0.02;

function tableOfColours(hexadecimal) {
  return Uint8Array.from(hexadecimal.match(/../g), (pair) => parseInt(pair, 16));
}

// One scale for all pictures of a pooling, so that they can be compared.
function scaleOf(lows, highs) {
  const known = (values) => values.filter((value) => value !== null).sort((a, b) => a - b);
  const low = known(lows);
  const high = known(highs);
  const left = Math.floor(CLIPPED * low.length);
  return low.length ? { low: low[left], high: high[high.length - 1 - left] } : { low: 0, high: 0 };
}

function drawStrip(strip, low, high, scale, colours) {
  const levels = Uint8Array.from(atob(strip), (sign) => sign.charCodeAt(0));
  const canvas = element("canvas", { width: levels.length, height: 1, className: "strip" });
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  const image = context.createImageData(levels.length, 1);
  levels.forEach((level, i) => {
    const colour = level === NAN_LEVEL ? NAN_LEVEL : onScale(level, low, high, scale);
    image.data.set(colours.subarray(3 * colour, 3 * colour + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

// The level on the scale of all, of a level on the scale of one.
function onScale(level, low, high, scale) {
  const share = level / LAST_LEVEL;
  const value = low * (1 - share) + high * share;
  const span = scale.high / 2 - scale.low / 2;
  const place = span > 0 ? (value / 2 - scale.low / 2) / span : 0;
  return Math.round(Math.min(1, Math.max(0, place)) * LAST_LEVEL);
}

function gradient(colours) {
  const levels = Uint8Array.from({ length: 64 }, (_, i) => (i * LAST_LEVEL) / 63);
  const text = String.fromCharCode(...levels);
  return drawStrip(btoa(text), 0, 1, { low: 0, high: 1 }, colours);
}
