/** Collects what an object has opened and closes it in reverse order. */
export class ResourceStack implements AsyncDisposable {
  readonly #closers: (() => void | Promise<void>)[] = [];
  #closed: Promise<void> | undefined;

  /** Takes ownership of a resource and returns it. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(() =>
      Symbol.asyncDispose in resource
        ? Promise.resolve(resource[Symbol.asyncDispose]())
        : resource[Symbol.dispose](),
    );
    return resource;
  }

  /** Calls a function when the stack is closed. */
  defer(close: () => void | Promise<void>): void {
    if (this.#closed) throw new Error('a resource was added to a stack that is closed');
    this.#closers.push(close);
  }

  /**
   * Closes everything, the newest resource first. A resource that fails to close does not keep the others open.
   * Idempotent.
   * @throws the first error of a resource, after all have been closed
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
