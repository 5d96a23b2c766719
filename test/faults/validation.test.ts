import { createServer, type RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureCertificate } from '../../src/certificates/renewal.ts';
import { problem } from '../support/fault-rules.ts';
import { listen } from '../support/listening.ts';
import { NAME, renewalAt } from '../support/renewal-parts.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { startSecondCa } from '../support/second-ca.ts';

const silent = () => undefined;

let rig: Rig;

beforeEach(async () => {
  rig = await makeRig();
});

afterEach(() => rig.dispose());

describe('fault 16: the AAAA record leads elsewhere', () => {
  test('the CA’s words are told, and the next attempt rehearses first', async () => {
    const rehearsals = await startSecondCa(rig);
    try {
      const attempt = () => {
        const parts = rehearsals.parts({ staging: rehearsals.proxy.directory });
        return ensureCertificate(parts, { force: true }, silent);
      };
      await attempt(); // the first one of a new name rehearses anyway
      expect(rehearsals.proxy.seen('newOrder')).toHaveLength(1);
      rig.proxy.requests.length = 0;
      const elsewhere = async (address: string | undefined) => {
        for (const { pebble } of [rig, rehearsals]) await pebble.setAddress6(NAME, address);
      };

      await elsewhere('::1');
      const told = {
        blame: 'validation',
        message: expect.stringMatching(/registry\.moorage\.example.*\[?::1/s),
      };
      await expect(attempt()).rejects.toMatchObject({ ...told, rehearsal: false });
      expect(rehearsals.proxy.seen('newOrder')).toHaveLength(1);

      rig.proxy.requests.length = 0;
      await expect(attempt()).rejects.toMatchObject({ ...told, rehearsal: true });
      expect(rehearsals.proxy.seen('newOrder')).toHaveLength(2);
      expect(rig.proxy.seen('newOrder')).toEqual([]);

      await elsewhere(undefined);
      await attempt();
      expect(rig.proxy.seen('newOrder')).toHaveLength(1);
    } finally {
      await rehearsals.dispose();
    }
  });
});

describe('fault 17: the DNS stands in the way', () => {
  const attempt = () => ensureCertificate(rig.parts(), { force: false }, silent);

  test('SERVFAIL: told as what it is, and the next attempt works', async () => {
    await rig.pebble.setServfail(NAME);
    await expect(attempt()).rejects.toMatchObject({
      blame: 'validation',
      message: expect.stringMatching(/registry\.moorage\.example.*could not resolve/s),
    });
    await rig.pebble.clearServfail(NAME);
    await attempt();
  });

  test('CAA forbids at the validation: told as what it is, and not asked again for the same order', async () => {
    const error = {
      type: 'urn:ietf:params:acme:error:caa',
      detail: 'CAA record for moorage.example prevents issuance',
    };
    const challenges = [{ type: 'http-01', url: '', token: 'x', status: 'invalid', error }];
    const forbidden = rig.proxy.add({
      on: 'authorization',
      act: { kind: 'rewrite', body: (before) => ({ ...before, ...seen(before, challenges) }) },
    });
    await expect(attempt()).rejects.toMatchObject({
      blame: 'validation',
      problem: 'caa',
      message: expect.stringContaining(`${NAME}: CAA record for moorage.example prevents issuance`),
    });
    forbidden.remove();
    await attempt();
    expect(rig.proxy.seen('newOrder')).toHaveLength(2);
  });

  test('CAA forbids at the end: told as what it is', async () => {
    const forbidden = rig.proxy.add({ on: 'finalize', act: problem(403, 'caa') });
    await expect(attempt()).rejects.toMatchObject({ blame: 'validation', problem: 'caa' });
    forbidden.remove();
    await attempt();
  });

  /** Before the challenge is answered, everything looks as it should. */
  function seen(authorization: Record<string, unknown>, challenges: unknown) {
    return rig.proxy.seen('challenge').length === 0 ? authorization : { status: 'invalid', challenges };
  }
});

describe('fault 18: the token is not where the CA will look', () => {
  test.each<{ what: string; answer: RequestListener; told: string }>([
    {
      what: 'redirected elsewhere',
      answer: (_, response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end(),
      told: 'it answered with HTTP 302',
    },
    {
      what: '404',
      answer: (_, response) => response.writeHead(404).end(),
      told: 'it answered with HTTP 404',
    },
    {
      what: 'another page',
      answer: (_, response) => response.end('<h1>Welcome to nginx!</h1>'),
      told: 'it answered <h1>Welcome to nginx!</h1>',
    },
    {
      what: 'a broken connection',
      answer: ({ socket }) => socket.destroy(),
      told: 'socket hang up',
    },
  ])('$what: found before the CA is asked for anything', async ({ answer, told }) => {
    const server = createServer(answer);
    const httpPort = await listen(server);
    try {
      const parts = renewalAt({ ...rig.place, httpPort });
      await expect(ensureCertificate(parts, { force: false }, silent)).rejects.toMatchObject({
        code: 'challenge-not-served',
        message: expect.stringContaining(told),
      });
      expect(rig.proxy.requests).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
    await ensureCertificate(rig.parts(), { force: false }, silent);
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);
  });
});
