import { createHash, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PresageError } from '../../core/errors.js';
import { scopeSchema, type Scope } from './scopes.js';

const FOLDER = 'tokens';
/** Tells secret scanners, and people, what it is. */
const PREFIX = 'presage_';
const SECRET_BYTES = 32;
const SUFFIX = '.json';
export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** Each wrong token is compared with every one. */
const MAX_TOKENS = 1000;

const recordSchema = z.object({
  version: z.literal(1),
  name: z.string().regex(TOKEN_NAME),
  /** SHA-256 of the token, in hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(scopeSchema).min(1),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
});
export type TokenRecord = z.infer<typeof recordSchema>;

/**
 * The tokens of a data folder: a file for each, named like it, so that two programs can add and revoke at the same time
 * without undoing what the other did. A file holds the hash only; the token itself is nowhere but with whom it was shown to.
 */
export class TokenFolder {
  readonly path: string;

  constructor(dataFolder: string) {
    this.path = join(dataFolder, FOLDER);
  }

  /**
   * Makes a token. What it returns cannot be found out again.
   * @throws PresageError `conflict` for a name that is taken, `overloaded`, `storage_failed`
   */
  create(name: string, scopes: readonly Scope[], expiresAt: Date | undefined, now = new Date()): string {
    const token = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
    const record: TokenRecord = {
      version: 1,
      name,
      sha256: digestOf(token).toString('hex'),
      scopes: [...scopes],
      createdAt: now.toISOString(),
      ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
    };
    recordSchema.parse(record);
    this.#guard(() => mkdirSync(this.path, { recursive: true, mode: 0o700 }));
    if (this.names().length >= MAX_TOKENS) {
      throw new PresageError('overloaded', `There are ${MAX_TOKENS} tokens already`, {
        hint: 'Revoke some: presage token list',
      });
    }
    // Under its name only when it is whole; a link, unlike a rename, never replaces one that is there.
    const draft = join(this.path, `.${name}.${randomBytes(6).toString('hex')}`);
    this.#guard(() => writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 }));
    try {
      linkSync(draft, this.#file(name));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw failed(this.path, cause);
      throw new PresageError('conflict', `There is a token "${name}" already`, {
        hint: `Choose another name, or revoke that one: presage token revoke ${name}`,
      });
    } finally {
      rmSync(draft, { force: true });
    }
    return token;
  }

  /** Names of the tokens that are there. @throws PresageError `storage_failed` */
  names(): string[] {
    try {
      return readdirSync(this.path)
        .filter((file) => file.endsWith(SUFFIX) && TOKEN_NAME.test(nameOf(file)))
        .map(nameOf)
        .sort();
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw failed(this.path, cause);
    }
  }

  /** Undefined where it has gone. @throws PresageError `storage_failed` for a file that makes no sense */
  read(name: string): TokenRecord | undefined {
    const file = this.#file(name);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw failed(this.path, cause);
    }
    const parsed = recordSchema.safeParse(parseJson(text));
    if (parsed.success && parsed.data.name === name) return parsed.data;
    throw new PresageError('storage_failed', `${file} is not a token of Presage`, {
      hint: `Remove it: presage token revoke ${name}`,
    });
  }

  /** @throws PresageError `not_found`, `storage_failed` */
  revoke(name: string): void {
    try {
      rmSync(this.#file(name));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw failed(this.path, cause);
      throw new PresageError('not_found', `There is no token "${name}"`, {
        hint: 'presage token list shows those that are there',
      });
    }
  }

  #file(name: string): string {
    return join(this.path, name + SUFFIX);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (cause) {
      throw failed(this.path, cause);
    }
  }
}

/** Equal lengths whatever was sent, so that a comparison takes equal time. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function nameOf(file: string): string {
  return file.slice(0, -SUFFIX.length);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Judged like JSON of another form.
    return undefined;
  }
}

function failed(path: string, cause: unknown): PresageError {
  const { message } = cause as Error;
  return new PresageError('storage_failed', `The tokens in ${path} cannot be used: ${message}`, {
    cause,
    hint: 'Make the folder readable and writable, or name another data folder with --data.',
  });
}
