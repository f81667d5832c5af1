// node mock/main.mjs [--items 1000000] [--key secret] [--troubled] [--port 8080]
import {parseArgs} from 'node:util';
import {mockServer} from './server.mjs';

const {values} = parseArgs({options: {
  items: {type: 'string', default: '20000'}, key: {type: 'string', default: ''}, troubled: {type: 'boolean', default: false},
  port: {type: 'string', default: '8080'},
}});
const {server} = mockServer({
  items: Number(values.items), key: values.key, troubled: values.troubled, dist: new URL('../dist', import.meta.url).pathname});
server.listen(Number(values.port), '127.0.0.1', () => {
  const {port} = server.address();
  console.log(`the mock listens on http://127.0.0.1:${port}/console/`);
});
