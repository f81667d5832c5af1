// A request as a line for a POSIX shell.
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

// The key is named, never shown.
export function curl(origin: string, method: string, path: string, body: unknown, withKey: boolean): string {
  const words = ['curl', '-sS', '-X', method, quoted(origin + path)];
  if (withKey) words.push('-H', '"Authorization: Bearer $PODIUM_KEY"');
  if (body !== undefined) words.push('-H', quoted('Content-Type: application/json'), '-d', quoted(JSON.stringify(body)));
  return words.join(' ');
}
