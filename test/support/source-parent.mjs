/**
 * A process that reads a source and keeps its first frames for ever, to be killed by a test.
 * usage: source-parent.mjs SOURCE FFMPEG_PATH FFMPEG_VERSION HOW; HOW: `hold` keeps frames, `crash` throws at the first
 */
import { openSource } from '../../dist/ingest/open-source.js';
import { parseSource } from '../../dist/ingest/source-spec.js';

const [address, path, version, how] = process.argv.slice(2);
const source = openSource(parseSource(address), { ffmpeg: { path, version }, mode: 'live', stallMs: 2000 });
const held = [];
source.frame$.subscribe((frame) => {
  held.push(frame);
  if (held.length > 1) return;
  if (how === 'crash') throw new Error('crashed on purpose');
  process.stdout.write('frame\n');
});
