import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { servedFingerprint } from '../../certificates/handshake.ts';
import { CHALLENGE_PATH } from '../../issuers/http-01.ts';
import type { Paths } from '../../paths.ts';
import { isPrivateName } from '../../settings/names.ts';
import { certificateNames, type Settings } from '../../settings/settings.ts';
import { ensureDirectory, writeAtomically } from '../../system/files.ts';
import { type Check, SOON } from '../check.ts';
import { type Context, ownAddresses } from '../context.ts';
import { broken, type Finding, fine, skipped, together, unknown } from '../finding.ts';
import { httpAnswer } from './http-answer.ts';

const ANSWER_WITHIN = 5_000;
/** Where a public CA comes, whatever HTTP_PORT says (RFC 8555 section 8.3). */
const CA_PORT = 80;

/** One port of a public address of the name, asked from this machine. */
export interface OutsideFacts {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly own: boolean;
  readonly answer: 'ours' | 'other' | 'silent';
}

/** What the machine can't see of itself: a firewall in front of it. */
const AS_FAR =
  'as asked from this machine itself; whether a firewall further out lets others in shows only from there';

export const outsideCheck: Check<Context> = {
  name: 'outside',
  group: 'Name',
  within: SOON, // all at the same time
  run: async ({ settings, paths }) => {
    const names = certificateNames(settings).filter((name) => !isPrivateName(name));
    if (names.length === 0) return skipped('no public name');
    const token = `doctor-${randomBytes(9).toString('hex')}`;
    const file = join(paths.challenges, CHALLENGE_PATH, token);
    await placeToken(paths, file, token);
    try {
      const facts = await Promise.all(names.map((name) => factsOf(settings, name, token)));
      return judgeOutside(facts.flat(), settings.trustedProxies.length > 0);
    } finally {
      await rm(file, { force: true });
    }
  },
};

export function judgeOutside(facts: readonly OutsideFacts[], proxied: boolean): Finding {
  if (facts.length === 0) return unknown('the names lead to no address');
  const findings = facts.map(({ name, address, port, own, answer }): Finding => {
    const at = `${address} port ${port}`;
    if (answer === 'ours' || proxied) return fine('');
    const mend = `Open port ${port} to the world, and let the router hand it on to this machine.`;
    if (answer === 'other') return broken(`${name}: something else answers at ${at}`, mend);
    if (own) return broken(`${name}: nobody answers at ${at}`, mend);
    return unknown(
      `${name}: ${at} can't be reached from here; behind NAT that says nothing`,
      `From another network: curl -k https://${name}/v2/`,
    );
  });
  const worst = together(findings, fine(''));
  return worst.verdict === 'fine' ? fine(`every address answers, ${AS_FAR}`) : worst;
}

async function factsOf(settings: Settings, name: string, token: string): Promise<OutsideFacts[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  const own = ownAddresses();
  const facts = found.flatMap(({ address }) => {
    const fact = (port: number, answer: OutsideFacts['answer']): OutsideFacts => ({
      name,
      address,
      port,
      own: own.includes(address),
      answer,
    });
    const asks = settings.challenge === 'http-01' && settings.directory.public && settings.issuer !== 'local';
    return [
      ...(asks ? [challengeAnswer(address, name, token).then((answer) => fact(CA_PORT, answer))] : []),
      ...(settings.issuer === 'none'
        ? []
        : [tlsAnswer(settings, address, name).then((answer) => fact(settings.httpsPort, answer))]),
    ];
  });
  return Promise.all(facts);
}

async function challengeAnswer(host: string, name: string, token: string): Promise<OutsideFacts['answer']> {
  const answer = await httpAnswer({ host, port: CA_PORT }, name, `${CHALLENGE_PATH}/${token}`, ANSWER_WITHIN);
  if (answer === undefined) return 'silent';
  return answer.body === token ? 'ours' : 'other';
}

/** Whose certificate it is says the check of what is served. */
async function tlsAnswer(
  { httpsPort: port }: Settings,
  host: string,
  name: string,
): Promise<OutsideFacts['answer']> {
  const servername = isIP(name) === 0 ? name : '';
  const shown = await servedFingerprint({ host, port, servername, timeout: ANSWER_WITHIN });
  return shown.kind === 'shown' ? 'ours' : 'silent';
}

async function placeToken({ challenges }: Paths, file: string, token: string): Promise<void> {
  await ensureDirectory(join(challenges, CHALLENGE_PATH));
  await writeAtomically(file, token, 0o644);
}
