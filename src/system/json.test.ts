import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseAs, readAs } from './json.ts';

const shape = z.object({ at: z.coerce.date() });
const AT = new Date('2026-07-01T12:00:00Z');

test.each([
  ['of this shape', '{"at":"2026-07-01T12:00:00Z","more":1}', { at: AT }],
  ['of another shape', '{"at":"soon"}', undefined],
  ['half written', '{"at":"2026-07', undefined],
  ['empty', '', undefined],
])('a text that is %s', (_, text, value) => {
  expect(parseAs(text, shape)).toEqual(value);
});

test('a file that is not there says nothing; one that can’t be read is told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'json-'));
  await writeFile(join(folder, 'there'), JSON.stringify({ at: AT }));
  expect(await readAs(join(folder, 'there'), shape)).toEqual({ at: AT });
  expect(await readAs(join(folder, 'gone'), shape)).toBeUndefined();
  await expect(readAs(folder, shape)).rejects.toMatchObject({ code: 'EISDIR' });
});
