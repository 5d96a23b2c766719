import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, PersonAtPage, undisturbed } from '../support/browser.ts';
import { GuardedStack } from '../support/guarded-stack.ts';

const ACCESS = `
users:
  admin: [admin]
  puller: [pull:team/**]
anonymous: [pull:public/**]
`;

let stack: GuardedStack;
let browser: Browser;

beforeAll(async () => {
  stack = await GuardedStack.open(ACCESS, ['puller']);
  for (const repository of ['public/app', 'team/app', 'secret/app'])
    await stack.calls.pushImage(repository, '1', stack.login('admin'));
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await stack?.checkout.dispose();
});

const url = (path: string) => `https://${stack.authority}${path}`;
const play = (title: string, scene: () => Promise<void>) => test(title, () => undisturbed(scene));
/** Somebody who has not been here before. */
const newcomer = async (login?: string) => {
  const context = await browser.createBrowserContext();
  return { context, person: await PersonAtPage.open(await context.newPage(), login) };
};

play('a browser asks for a password, and shows the catalogue of whoever gives theirs', async () => {
  const { person } = await newcomer(stack.login('puller'));
  const { status, text } = await person.visit(url('/v2/_catalog'));
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({ repositories: ['public/app', 'team/app'] });
  expect(person.asked).toEqual(['Moorage']);
});

play('a second page is not asked again, and what is forbidden is said without a question', async () => {
  const { context, person } = await newcomer(stack.login('puller'));
  await person.visit(url('/v2/_catalog'));
  const second = await PersonAtPage.open(await context.newPage());
  expect((await second.visit(url('/v2/team/app/tags/list'))).status).toBe(200);
  const forbidden = await second.visit(url('/v2/secret/app/tags/list'));
  expect(forbidden).toMatchObject({
    status: 403,
    text: expect.stringContaining('you may not pull in secret/app'),
  });
  expect(second.asked).toEqual([]);
});

play('with a wrong password it asks again, and who gives up sees why', async () => {
  const { person } = await newcomer('puller:wrong');
  const { status, text } = await person.visit(url('/v2/_catalog'));
  expect({ status, asked: person.asked }).toEqual({ status: 401, asked: ['Moorage', 'Moorage'] });
  expect(text).toContain('please log in');
});

play('/v2/ asks as well, though Docker is asked for a token there', async () => {
  const { person } = await newcomer(stack.login('puller'));
  expect(await person.visit(url('/v2/'))).toMatchObject({ status: 200, text: '{}' });
  expect(person.asked).toEqual(['Moorage']);
});

play('what everybody may see needs no password', async () => {
  const { person } = await newcomer();
  expect((await person.visit(url('/v2/public/app/tags/list'))).status).toBe(200);
  expect(person.asked).toEqual([]);
});
