import { HEALTH_PAGE_SCRIPT } from './health-page-script.js';
import { HEALTH_PAGE_STYLE } from './health-page-style.js';

/**
 * The page at `/`: how the streams are, and what was just seen, explained and predicted. Self-contained; everything that
 * comes from messages is set as text, never as HTML.
 *
 * @param nonce base64, the one in the Content-Security-Policy of the reply
 */
export function healthPage(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Presage</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${HEALTH_PAGE_STYLE}</style>
</head>
<body>
<header>
  <h1>Presage</h1>
  <span id="status" class="pill" role="status">connecting</span>
  <span id="facts" class="muted"></span>
</header>
<main id="streams"><p class="muted" id="empty">No streams yet.</p></main>
<template id="stream">
  <section class="stream">
    <h2><span data-is="id"></span> <span class="pill" data-is="state"></span></h2>
    <p class="muted" data-is="about"></p>
    <div class="columns">
      <article><h3>Events and explanations</h3><ol class="feed" data-is="events"><li class="muted">Nothing yet.</li></ol></article>
      <article><h3>Predictions</h3><ol class="feed" data-is="predictions"><li class="muted">Nothing yet.</li></ol></article>
      <article><h3>Scorecard</h3><div data-is="scorecard"><p class="muted">Nothing resolved yet.</p></div></article>
    </div>
  </section>
</template>
<script nonce="${nonce}">${HEALTH_PAGE_SCRIPT}</script>
</body>
</html>
`;
}
