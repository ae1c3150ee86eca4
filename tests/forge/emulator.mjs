// Starts the emulator on a free port of the loopback interface and obeys one JSON line after another on stdin.
import net from 'node:net'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  return listen.call(this, 0, '127.0.0.1', () => {
    for (const done of args) if (typeof done === 'function') done()
    say({ port: this.address().port })
  })
}

const say = (answer) => console.log(JSON.stringify(answer))
const { createEmulator } = await import(pathToFileURL(process.argv[2]).href)
let emulator

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  if (order.start) emulator = await createEmulator({ service: 'github', port: 1, ...order.start })
  if (order.reset) say({ reset: emulator.reset() ?? true })
}
process.exit(0)
