import { counted } from '../../counted.ts';
import { sizeInWords } from '../../low-water.ts';
import { digestOf } from '../../registry/digest.ts';
import { exchange, type Reply } from '../../registry/exchange.ts';
import { MANIFEST_TYPE } from '../../registry/image.ts';
import type { Check, Turn } from '../check.ts';
import { broken, type Finding, fine, skipped, together } from '../finding.ts';
import { cureFor } from './hop.ts';
import { RandomBody } from './random-body.ts';
import { pushWhole } from './upload.ts';
import type { Visit } from './visit.ts';

const TRANSFER_WITHIN = 10 * 60_000;
/** For a bucket that clients are sent to, and where nothing large was pushed. */
const SMALL = 256 * 1024;
const TAG = 'doctor';

export const pullCheck: Check<Visit> = {
  name: 'pull',
  group: 'Path of a client',
  within: TRANSFER_WITHIN,
  run: async (visit, turn) => {
    if (visit.blocked !== undefined) return skipped(visit.blocked);
    const refused = await ensureImage(visit, turn);
    if (refused !== undefined) return refused;
    const { body } = visit.pushed ?? { body: new RandomBody(0) };
    const { outer, repository, hop } = visit;
    const path = `/v2/${repository}/blobs/${body.digest}`;
    const [from, to] = [body.bytes / 2, body.bytes / 2 + SMALL / 4];
    const onBytes = (sum: number) => turn.report(`${sizeInWords(sum)} of ${sizeInWords(body.bytes)}`);
    const headers = { range: `bytes=${from}-${to - 1}` };
    const manifest = await exchange(
      outer,
      { method: 'GET', path: `/v2/${repository}/manifests/${TAG}`, headers: { accept: MANIFEST_TYPE } },
      turn,
    );
    const whole = await exchange(outer, { method: 'GET', path }, { signal: turn.signal, onBytes });
    if (whole.status === 307)
      return judgeRedirect(await visit.fetched(whole.headers.location ?? '', turn.signal), body.digest);
    const part = await exchange(outer, { method: 'GET', path, headers }, turn);
    const findings = [
      judgePulled('the manifest', manifest, 200, visit.manifest ?? '', hop),
      judgePulled(sizeInWords(body.bytes), whole, 200, body.digest, hop),
      judgePulled('a part of them (Range)', part, 206, body.digestOf(from, to), hop),
    ];
    const worst = together(findings, fine(''));
    return worst.verdict === 'fine'
      ? fine(`${sizeInWords(body.bytes)} and a part of them, as they were pushed`)
      : worst;
  },
};

export function judgePulled(
  what: string,
  { status, digest, bytes }: Pick<Reply, 'status' | 'digest' | 'bytes'>,
  wanted: number,
  right: string,
  hop: string | undefined,
): Finding {
  const by = hop === undefined ? '' : `, through a hop in front, ${hop}`;
  const logs = hop === undefined ? 'docker compose logs nginx registry' : cureFor(hop, 'headers');
  if (status !== wanted) return broken(`${what}: ${status} instead of ${wanted}${by}`, logs);
  if (digest === right) return fine(what);
  return broken(
    `${what} came back changed (${counted(bytes, 'byte')})${by}`,
    hop === undefined
      ? 'Check the disk of REGISTRY_DATA_DIR: dmesg'
      : `Keep ${hop} from changing what passes: no compression, no cache.`,
  );
}

export function judgeRedirect(came: string, right: string): Finding {
  if (came === right) return fine('clients are led to the bucket, and it has what was pushed');
  return broken('what the bucket gives is not what was pushed', 'docs/storage.md, S3_REDIRECT');
}

/** Something small where nothing large was pushed, and a manifest that makes it an image. */
async function ensureImage(visit: Visit, { signal }: Turn): Promise<Finding | undefined> {
  const { outer: speaker, repository } = visit;
  if (visit.pushed === undefined || visit.redirected === true) {
    const body = new RandomBody(SMALL);
    await visit.note(body.digest);
    const outcome = await pushWhole({ speaker, repository, signal }, body);
    if (outcome.kind !== 'done') return skipped('nothing could be pushed');
    visit.pushed = { body };
  }
  const { digest, bytes: size } = visit.pushed.body;
  const layer = { mediaType: 'application/octet-stream', digest, size };
  const config = { ...layer, mediaType: 'application/vnd.oci.empty.v1+json' };
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers: [layer] }),
  );
  visit.manifest = digestOf(manifest);
  await visit.note(visit.manifest);
  const put = {
    method: 'PUT',
    path: `/v2/${repository}/manifests/${TAG}`,
    headers: { 'content-type': MANIFEST_TYPE },
    body: [manifest],
    length: manifest.length,
  };
  const { status, text } = await exchange(speaker, put, { signal });
  if (status === 201) return undefined;
  visit.manifest = undefined;
  return broken(
    `a manifest is answered with ${status}: ${text.slice(0, 200).trim()}`,
    'docker compose logs gate registry nginx',
  );
}
