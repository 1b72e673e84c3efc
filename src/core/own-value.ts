/**
 * Returns the value of a record under a name from outside. Inherited names such as `constructor` are absent, where
 * `record[name]` would return a function of every object.
 */
export function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
