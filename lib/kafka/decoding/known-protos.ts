import protobuf from 'protobufjs';

/** Files that Confluent's serializers import implicitly, in addition to those of protobufjs. */
const MORE: Readonly<Record<string, string>> = {
  'confluent/type/decimal.proto':
    'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }',
  'google/type/date.proto': 'syntax = "proto3"; package google.type; message Date { int32 year = 1; int32 month = 2; int32 day = 3; }',
  'google/type/decimal.proto': 'syntax = "proto3"; package google.type; message Decimal { string value = 1; }',
  'google/type/latlng.proto': 'syntax = "proto3"; package google.type; message LatLng { double latitude = 1; double longitude = 2; }',
  'google/type/money.proto':
    'syntax = "proto3"; package google.type; message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }',
  'google/type/timeofday.proto':
    'syntax = "proto3"; package google.type; message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }',
};

/** Adds an imported file that registries omit because every compiler includes it. @returns whether it is such a file */
export function addKnownProto(root: protobuf.Root, file: string): boolean {
  const text = MORE[file];
  if (text !== undefined) protobuf.parse(text, root, { keepCase: true });
  const known = text === undefined ? protobuf.common.get(file) : null;
  if (known?.nested) root.addJSON(known.nested);
  return text !== undefined || known !== null;
}
