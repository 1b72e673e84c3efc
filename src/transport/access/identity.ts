import { setMaxListeners } from 'node:events';
import { allows, type Action, type Scope } from './scopes.js';

/** Who sent a request, and what that one may do. */
export interface Identity {
  /** The token's name, or where there is none, what stands in for it; for logs, never a secret. */
  readonly name: string;
  /** False where no token is needed, and none was asked for. */
  readonly named: boolean;
  readonly scopes: readonly Scope[];
  /** Aborts when the token was revoked or has expired: whatever it opened is to be ended. */
  readonly signal: AbortSignal;
  /** Without a stream: on any at all; `*`: on every one. */
  may(action: Action, streamId?: string): boolean;
}

/** An identity that can be ended. */
export class Holder implements Identity {
  readonly name: string;
  readonly named: boolean;
  readonly scopes: readonly Scope[];
  readonly #ending = new AbortController();

  constructor(name: string, scopes: readonly Scope[], named = true) {
    this.name = name;
    this.scopes = scopes;
    this.named = named;
    // One for each connection; they are bounded elsewhere.
    setMaxListeners(0, this.#ending.signal);
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  may(action: Action, streamId?: string): boolean {
    return !this.signal.aborted && allows(this.scopes, action, streamId);
  }

  end(): void {
    this.#ending.abort();
  }
}
