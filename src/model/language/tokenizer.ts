import { readFile } from 'node:fs/promises';
import * as library from '@huggingface/tokenizers';
import { PresageError } from '../../core/errors.js';

/** The used part of the library, declared here because Node's module resolution does not find the library's types. */
interface Tokenizer {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
}
const { Tokenizer } = library as unknown as {
  readonly Tokenizer: new (document: object, config: object) => Tokenizer;
};

/** Converts text to the tokens of the language model. */
export class TextTokenizer {
  /** Tokens of `0` to `9`. */
  readonly digits: readonly number[];
  readonly #tokenizer: Tokenizer;

  private constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
    this.digits = Array.from({ length: 10 }, (_, digit) => {
      const [token, ...more] = this.encode(String(digit));
      if (token === undefined || more.length > 0)
        throw new PresageError('model_invalid', `the tokenizer has no token for the digit ${digit}`);
      return token;
    });
  }

  /**
   * Reads a `tokenizer.json` of Hugging Face.
   * @throws {PresageError} model_invalid
   */
  static async open(path: string): Promise<TextTokenizer> {
    try {
      const document = JSON.parse(await readFile(path, 'utf8')) as object;
      return new TextTokenizer(new Tokenizer(document, {}));
    } catch (cause) {
      if (cause instanceof PresageError) throw cause;
      throw new PresageError('model_invalid', `${path} is not a tokenizer: ${String(cause)}`, {
        cause,
        hint: 'check the file with: presage models verify',
      });
    }
  }

  encode(text: string): number[] {
    return text === '' ? [] : this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }
}
