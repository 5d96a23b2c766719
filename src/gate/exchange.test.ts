import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { forwarded } from './exchange.ts';

test('nginx hands the gate each header that the gate would hand on', async () => {
  const template = await readFile(join(paths().root, 'nginx/templates/gate.proxy.template'), 'utf8');
  const set = [...template.matchAll(/proxy_set_header (\S+) (\$http_\w+);/g)].map(([, name = '', value]) => [
    name.toLowerCase(),
    value,
  ]);
  const every = {
    accept: '',
    'content-type': '',
    'content-range': '',
    'if-none-match': '',
    range: '',
    'user-agent': '',
  };
  const handedOn = Object.keys(forwarded(every)).map((name) => [name, `$http_${name.replaceAll('-', '_')}`]);
  expect(handedOn).toHaveLength(Object.keys(every).length);
  expect(set).toEqual(expect.arrayContaining(handedOn));
});
