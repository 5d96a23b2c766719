import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
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
  return { ask, told, port };
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
  let letGo: () => void = () => undefined;
  const { ask, port } = await open(async () => {
    collected += 1;
    const mine = collected;
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    return `a ${mine}\n`;
  });
  const socket = connect(port, '127.0.0.1');
  const get = 'GET /metrics HTTP/1.1\r\nHost: exporter\r\n';
  socket.write(`${get}\r\n${get}Connection: close\r\n\r\n`); // both at once
  await expect.poll(() => collected).toBe(1);
  letGo();
  expect((await text(socket)).match(/^a \d+$/gm)).toEqual(['a 1', 'a 1']);
  const next = ask('/metrics');
  await expect.poll(() => collected).toBe(2);
  letGo();
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
