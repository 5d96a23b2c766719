/** `1 blob`, `2 blobs`, `0 blobs`. @param several where that is more than an s: `repositories` */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
