import type { Page } from 'playwright-core';

/** What a page complained of: errors in its console and uncaught ones. What breaks its policy is an error in the console. */
export class PageLog {
  readonly problems: string[] = [];

  constructor(page: Page) {
    page.on('console', (message) => {
      // A picture that is not kept any more is an answer, not a fault, and so is a service that is away.
      if (
        message.type() === 'error' &&
        !/^Failed to load resource|ERR_|WebSocket connection/.test(message.text())
      )
        this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(error.message));
  }
}
