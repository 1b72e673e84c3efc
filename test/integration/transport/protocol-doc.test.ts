import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { eventDraft } from '../../support/transport/drafts.js';
import { startService } from '../../support/transport/service.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

it('the client in docs/protocol.md listens as the document says', async () => {
  const { port, publisher } = await startService();
  const document = readFileSync(`${root}docs/protocol.md`, 'utf8');
  const code = /```js\n(.*?)```/s.exec(document)?.[1]?.replace('7878', String(port)) ?? '';
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: root });
  onTestFinished(() => void child.kill());
  publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2)]);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === 2) break;
  }
  expect(lines[0]).toMatch(/^0000000001 presage\.event\.observed\.v1 e1 \{"event":\{"id":"e1"/);
  expect(lines[1]).toMatch(/^0000000002 /);
});
