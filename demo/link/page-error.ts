/** Something that a person at the page is told, in words. */
export class PageError extends Error {
  override readonly name = 'PageError';
}
