/** Colours of objects: bright enough to stand out on a picture, far enough apart to be distinguished. */
const OBJECT_COLORS = [
  '#4cc9f0',
  '#ffb703',
  '#80ed99',
  '#ff6b9a',
  '#c77dff',
  '#f4845f',
  '#2ec4b6',
  '#ffe066',
  '#7b9bff',
  '#f78fe0',
  '#a7e34b',
  '#ff9e80',
] as const;

/** Returns the colour of an object, the same in every picture: by the number in its id, else by its letters. */
export function colorOf(id: string): string {
  const digits = /(\d+)$/.exec(id)?.[1];
  const number =
    digits === undefined
      ? Array.from(id).reduce((sum, char) => sum + (char.codePointAt(0) ?? 0), 0)
      : Number(digits);
  return OBJECT_COLORS[number % OBJECT_COLORS.length] ?? OBJECT_COLORS[0];
}
