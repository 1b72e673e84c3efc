import { PresageError } from '../../core/errors.js';
import { TOKEN_NAME, TokenFolder, type TokenRecord } from '../../transport/access/token-folder.js';
import type { CommandContext } from '../command-context.js';

/** `presage token create NAME`: the token alone goes to standard output, so that a script can take it. */
export function createToken({ settings }: CommandContext, name = ''): Promise<void> {
  if (!TOKEN_NAME.test(name)) {
    throw new PresageError('bad_option', `"${name}" is no name for a token`, {
      hint: 'Take letters, digits, - and _, 64 at most.',
    });
  }
  const now = new Date();
  const expiresAt = settings.expires?.(now);
  if (expiresAt !== undefined && expiresAt <= now) {
    throw new PresageError('bad_option', `option --expires: ${expiresAt.toISOString()} has passed already`);
  }
  const token = new TokenFolder(settings.data).create(name, settings.scopes, expiresAt, now);
  process.stdout.write(`${token}\n`);
  const until = expiresAt === undefined ? 'until it is revoked' : `until ${expiresAt.toISOString()}`;
  process.stderr.write(
    `"${name}" may ${settings.scopes.join(', ')} ${until}. Keep the token now: it is not shown again.\n`,
  );
  return Promise.resolve();
}

/** `presage token list` */
export function listTokens({ settings }: CommandContext): Promise<void> {
  const folder = new TokenFolder(settings.data);
  const records = folder.names().flatMap((name) => folder.read(name) ?? []);
  if (records.length === 0) process.stdout.write('there are no tokens\n');
  const width = Math.max(...records.map(({ name }) => name.length));
  for (const record of records) process.stdout.write(`${record.name.padEnd(width)}  ${describe(record)}\n`);
  return Promise.resolve();
}

/** `presage token revoke NAME`: a service that runs ends the connections of the token within a second. */
export function revokeToken({ settings }: CommandContext, name = ''): Promise<void> {
  if (!TOKEN_NAME.test(name)) throw new PresageError('not_found', `There is no token "${name}"`);
  new TokenFolder(settings.data).revoke(name);
  process.stdout.write(`"${name}" is revoked\n`);
  return Promise.resolve();
}

function describe({ scopes, createdAt, expiresAt }: TokenRecord): string {
  const day = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`;
  const expired = expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();
  const end = expiresAt === undefined ? '' : `, ${expired ? 'expired' : 'expires'} ${day(expiresAt)}`;
  return `${scopes.join(', ')}  made ${day(createdAt)}${end}`;
}
