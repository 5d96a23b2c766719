/**
 * What may stand in a path, by the OCI distribution-spec 1.1, "Pulling manifests". distribution admits more (a domain
 * with capitals and a port before a name, other digest algorithms); whatever is admitted here, it admits as well.
 */

/** distribution's `NameTotalLengthMax`. */
const LONGEST_NAME = 255;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
/** At each character one way on only: it is linear, however the input looks. */
const NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** Other lengths must not get through: what go-digest can't parse, distribution takes for the name of a tag. */
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;
/** distribution's route. Ids of uploads are its own UUIDs. */
const UPLOAD_ID = /^[A-Za-z0-9_.=-]{1,128}$/;

export function isRepositoryName(text: string): boolean {
  return text.length <= LONGEST_NAME && NAME.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

export function isUploadId(text: string): boolean {
  return UPLOAD_ID.test(text);
}
