// Holds objects to the types of those who will read them: of kinds that are not Kubernetes' own, to those of the operator of
// Prometheus; the definition of an Apify Actor, to Apify's schema. Reads {objects: […], actor: {…}} on standard input, prints
// what is wrong, and fails if anything is.
import { readFileSync } from 'node:fs';
import * as operator from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/index';
import Ajv from 'ajv';

const { objects = [], actor } = JSON.parse(readFileSync(0, 'utf8'));
const wrong = [];

for (const object of objects) {
  try {
    new operator[object.kind](object).validate();
  } catch (error) {
    wrong.push(`${object.kind}: ${error.message}`);
  }
}
if (actor) {
  // Files, because the package offers none of them by name.
  const folder = new URL('node_modules/@apify/json_schemas/schemas/', import.meta.url);
  const [schema, ...parts] = ['actor', 'output', 'key_value_store', 'dataset'].map((name) =>
    JSON.parse(readFileSync(new URL(`${name}.schema.json`, folder), 'utf8')),
  );
  const ajv = new Ajv({ strict: false, schemas: parts });
  const known = new Set(Object.keys(schema.properties));
  wrong.push(...Object.keys(actor).filter((key) => !known.has(key)).map((key) => `actor.json: ${key} is not known to Apify`));
  const validate = ajv.compile(schema);
  if (!validate(actor)) wrong.push(...validate.errors.map((error) => `actor.json: ${error.instancePath} ${error.message}`));
}

console.log(wrong.length ? wrong.join('\n') : `${objects.length + (actor ? 1 : 0)} as their readers want them`);
process.exit(wrong.length ? 1 : 0);
