import { afterEach, expect, test } from 'vitest';
import { Exporter } from './exporter.ts';

let exporter: Exporter | undefined;

afterEach(async () => {
  await exporter?.close();
  exporter = undefined;
});

async function open(collect: () => Promise<string>) {
  const told: string[] = [];
  exporter = new Exporter({ collect, tell: (line) => told.push(line) });
  const port = await exporter.listen(0, '127.0.0.1');
  const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { ask, told };
}

test('GET /metrics, and nothing else', async () => {
  const { ask } = await open(async () => 'a 1\n');
  const answer = await ask('/metrics');
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toBe('a 1\n');
  expect((await ask('/metrics?x=1')).status).toBe(200);
  for (const path of ['/', '/metrics/', '/metrics.json', '/metrics/..%2f..%2fetc/passwd', '//metrics'])
    expect((await ask(path)).status).toBe(404);
  expect((await ask('/metrics', 'POST')).status).toBe(404);
});

test('who asks while another one waits gets the same, and the next one gets it anew', async () => {
  let collected = 0;
  let let_go: () => void = () => undefined;
  const { ask } = await open(async () => {
    collected += 1;
    const mine = collected;
    await new Promise<void>((resolve) => {
      let_go = resolve;
    });
    return `a ${mine}\n`;
  });
  const together = [ask('/metrics'), ask('/metrics')];
  await expect.poll(() => collected).toBe(1);
  const arrived = ask('/'); // answered after those that came before it
  expect((await arrived).status).toBe(404);
  let_go();
  expect(await Promise.all(together.map(async (each) => (await each).text()))).toEqual(['a 1\n', 'a 1\n']);
  const next = ask('/metrics');
  await expect.poll(() => collected).toBe(2);
  let_go();
  expect(await (await next).text()).toBe('a 2\n');
});

test('what goes wrong is for the log, and the next one may go well', async () => {
  let fails = true;
  const { ask, told } = await open(async () => {
    if (fails) throw new Error('disk on fire');
    return 'a 1\n';
  });
  const answer = await ask('/metrics');
  expect({ status: answer.status, text: await answer.text() }).toEqual({
    status: 500,
    text: expect.not.stringContaining('fire'),
  });
  expect(told).toEqual(['disk on fire']);
  fails = false;
  expect((await ask('/metrics')).status).toBe(200);
});
