// Numbers, times and lists in words.

export const formatCount = (count) => count.toLocaleString("en-GB");

/** "1 frame", "1,204 frames" */
export const plural = (count, noun, plural = `${noun}s`) => `${formatCount(count)} ${count === 1 ? noun : plural}`;

/** 0.9731 becomes "97.3 %"; null becomes "–". Rounded down, so that 100 % means all. */
export const percent = (share) => (share == null ? "–" : `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(share >= 1 ? 0 : 1)} %`);

export function duration(seconds) {
  if (seconds == null) return "";
  if (seconds < 50) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90) return "1 min";
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

export function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** "A, B and C" */
export const inWords = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join(""));
