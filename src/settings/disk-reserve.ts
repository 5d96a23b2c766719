import type { Reserve } from '../low-water.ts';

const FACTORS: Readonly<Record<string, number>> = {
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
};
const SHAPE = /^(\d{1,6}(?:\.\d{1,3})?) ?([A-Za-z]+|%)$/;
const MOST_PERCENT = 90;

/** `2GiB`, `500MB`, `5%` of the disk, or `0` for nothing; a text says what is wrong. */
export function parseReserve(text: string): Reserve | string {
  if (text === '0') return { bytes: 0 };
  const [, number = '', unit = ''] = SHAPE.exec(text) ?? [];
  if (unit === '%') {
    const percent = Number(number);
    return percent <= MOST_PERCENT
      ? { share: percent / 100 }
      : `is more than ${MOST_PERCENT}%, which leaves nothing for images`;
  }
  const factor = FACTORS[unit.toUpperCase()];
  if (factor === undefined) return 'is not a size like 2GiB or 500MB, a share of the disk like 5%, or 0';
  return { bytes: Math.round(Number(number) * factor) };
}
