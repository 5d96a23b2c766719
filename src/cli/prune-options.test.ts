import { expect, test } from 'vitest';
import { parseRetention } from '../retention/retention-file.ts';
import { idlePatterns } from './prune-options.ts';

const repositories = ['team/app', 'tools'].map((name) => ({
  name,
  manifests: new Map(),
  tags: [],
  damaged: [],
}));

test('a pattern of the file that means no repository is named with its line, and with what may be meant', () => {
  const rules = [
    'rules:',
    '- { repo: team/ap, keep-last: 1 }',
    "- { repo: ['team/**', tools], keep-last: 1 }",
  ];
  const retention = parseRetention(rules.join('\n'), 'retention.yaml');
  expect(idlePatterns(retention, { repositories })).toEqual([
    { input: 'retention.yaml:2: team/ap', message: 'there is no such repository; there is team/app' },
  ]);
});
