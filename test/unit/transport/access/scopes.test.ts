import { describe, expect, it } from 'vitest';
import { allows, scopeSchema } from '../../../../src/transport/access/scopes.js';

describe('scopes', () => {
  it.each(['admin', 'read:*', 'read:cam1', 'publish:*', 'publish:front-door_2'])('know %s', (scope) => {
    expect(scopeSchema.safeParse(scope).success).toBe(true);
  });

  it.each([
    '',
    'read',
    'read:',
    'Admin',
    'admin:*',
    'write:*',
    'read:../x',
    'read:a b',
    'read:cam*',
    'read:*\n',
  ])('do not take %j for one', (scope) => {
    expect(scopeSchema.safeParse(scope).success).toBe(false);
  });
});

describe('what scopes allow', () => {
  it('is everything with admin', () => {
    for (const action of ['read', 'publish', 'admin'] as const) {
      expect(allows(['admin'], action)).toBe(true);
      expect(allows(['admin'], action, 'cam1')).toBe(true);
    }
    expect(allows(['admin'], 'read', '*')).toBe(true);
  });

  it('is what is named, of the stream that is named', () => {
    const scopes = ['read:cam1', 'publish:cam2'];
    expect(allows(scopes, 'read', 'cam1')).toBe(true);
    expect(allows(scopes, 'read', 'cam2')).toBe(false);
    expect(allows(scopes, 'publish', 'cam2')).toBe(true);
    expect(allows(scopes, 'publish', 'cam1')).toBe(false);
    expect(allows(scopes, 'admin', 'cam1')).toBe(false);
  });

  it('covers every stream only with a star', () => {
    expect(allows(['read:*'], 'read', 'any')).toBe(true);
    expect(allows(['read:*'], 'read', '*')).toBe(true);
    expect(allows(['read:cam1'], 'read', '*')).toBe(false);
    expect(allows(['read:*'], 'publish', 'any')).toBe(false);
  });

  it('lets lists be asked for by whoever may see something on them', () => {
    expect(allows(['read:cam1'], 'read')).toBe(true);
    expect(allows(['publish:cam1'], 'read')).toBe(false);
    expect(allows([], 'read')).toBe(false);
  });
});
