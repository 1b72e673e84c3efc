export * from './core/messages.js';
export * from './core/errors.js';
