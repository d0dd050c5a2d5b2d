import { expect, it } from 'vitest';
import { PageTokens } from '../../../main/publisher/s3/pageTokens.ts';

it('keeps the tokens of the newest agents only, however many say hello', () => {
  const tokens = new PageTokens();
  tokens.keep('agent-first', 'first');
  for (let count = 0; count < 5000; count += 1) {
    tokens.keep(`agent-${count}`, `token-${count}`);
    if (count === 4990) tokens.keep('agent-4970', 'again');
  }
  expect(tokens.of('agent-4999')).toBe('token-4999');
  expect(tokens.of('agent-4970')).toBe('again');
  // Forgotten: the newest of all stands in, and the broker decides.
  expect(tokens.of('agent-first')).toBe('token-4999');
  expect(tokens.of('agent-4960')).toBe('token-4999');
});

it('has none before any page has come', () => {
  expect(new PageTokens().of('agent')).toBeNull();
});
