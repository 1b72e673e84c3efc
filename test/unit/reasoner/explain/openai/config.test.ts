import { describe, expect, it } from 'vitest';
import { PresageError } from '../../../../../src/core/errors.js';
import { openAiConfig, type OpenAiOptions } from '../../../../../src/reasoner/explain/openai/config.js';

function errorOf(options: OpenAiOptions): PresageError {
  try {
    openAiConfig(options);
  } catch (error) {
    if (error instanceof PresageError) return error;
  }
  throw new Error('no PresageError');
}

describe('the config of a language-model server', () => {
  const given = { baseUrl: 'http://127.0.0.1:11434/v1/', model: 'm' };

  it('fills in defaults and takes the slash off', () => {
    expect(openAiConfig(given)).toEqual({
      baseUrl: 'http://127.0.0.1:11434/v1',
      model: 'm',
      timeoutMs: 20_000,
      maxTokens: 400,
      tools: true,
      images: false,
    });
  });

  it.each([
    ['baseUrl', { ...given, baseUrl: 'ftp://host/v1' }],
    ['baseUrl', { ...given, baseUrl: 'localhost' }],
    ['model', { ...given, model: '' }],
    ['timeoutMs', { ...given, timeoutMs: 0 }],
    ['maxTokens', { ...given, maxTokens: 1.5 }],
  ])('says which option is wrong: %s', (name, options) => {
    expect(errorOf(options)).toMatchObject({ code: 'bad_option' });
    expect(errorOf(options).message).toContain(name);
  });

  it('never quotes a key or a password', () => {
    const secret = 'sk-very\nsecret';
    expect(errorOf({ ...given, apiKey: secret }).message).not.toContain('very');
    expect(errorOf({ ...given, baseUrl: 'http://me:hush@host/v1' }).message).not.toContain('hush');
  });
});
