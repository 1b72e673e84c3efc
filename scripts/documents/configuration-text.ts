/** The parts of docs/configuration.md that are written by hand. A test reads the YAML in them with the product's own reader. */
export const CONFIGURATION_INTRO = `<!-- Written by \`npm run documents\` from the option table. Do not edit. -->

# Configuration

Each option comes from the first of these that sets it:

1. the command line flag,
2. the environment variable,
3. the entry in \`presage.yaml\`,
4. the default.

\`--config FILE\` names another file than \`presage.yaml\` in the working directory. Every command has it. \`presage COMMAND --help\` lists the options
of a command. A value that is not as expected, and an unknown entry of \`presage.yaml\`, end the command with exit code 2 and a message
that states what was given and what was expected.

- **switch**: the flag takes no value and means \`true\`. The environment variable and \`presage.yaml\` take \`true\`, \`false\`, \`1\`, \`0\`, \`yes\` or \`no\`. A
  switch whose default is \`true\` has a flag that turns it off, for example \`--no-mqtt-discovery\`.
- **list**: text with commas between the items. Where the table of a section below shows a list, \`presage.yaml\` takes a YAML list.
- A megabyte (MB) is 10⁶ bytes.
- Give secrets (\`--token\`, \`--openai-key\`, \`--mqtt-password\`) by environment or file: other users of the machine can see flags.

## Options`;

export const CONFIGURATION_STRUCTURE = `## presage.yaml

The dotted names in the column _presage.yaml_ are entries of sections: \`server.port\` is \`port\` in \`server\`. Besides these, the file has
\`streams\`. [examples/presage.yaml](../examples/presage.yaml) is a file to begin with.

### Streams

\`presage serve\` opens each entry of \`streams\`:

| entry | type | meaning |
| --- | --- | --- |
| \`id\` | text | name of the stream in addresses and messages: 1 to 64 letters, digits, \`-\` and \`_\`; unique in the file; required |
| \`source\` | text | video source, see the next table; required |
| \`rtspTransport\` | \`tcp\` or \`udp\` | transport of this RTSP source; without it that of \`--rtsp-transport\` |
| \`zones\` | map of names to polygons | each polygon is a list of 3 or more points \`[x, y]\` |
| \`lines\` | map of names to lines | each line is a list of 2 points \`[x, y]\` |

Points are fractions of the frame from 0 to 1, \`[0, 0]\` is the upper left corner. [events.md](events.md#zones-and-lines) defines
the events of zones and lines.

| source | what it reads |
| --- | --- |
| \`video.mp4\` | a file |
| \`rtsp://user:password@host/path\`, \`rtsps://…\` | an RTSP camera |
| \`http://…\`, \`https://…\` | HLS, MJPEG or a video file |
| \`webcam:/dev/video0\` | a camera of this machine |
| \`webrtc:\` | video that is published to the service by WHIP |
| \`rtsp-listen://:8554/camera\` | video that is pushed by RTSP to this port and path |
| \`rtp://:5004\`, \`camera.sdp\` | video that is pushed by RTP |

\`\`\`yaml
streams:
  - id: street
    source: rtsp://user:password@camera.local/stream
    rtspTransport: udp
    zones:
      door: [[0.1, 0.2], [0.3, 0.2], [0.3, 0.6], [0.1, 0.6]]
    lines:
      gate: [[0.5, 0.1], [0.5, 0.9]]
  - id: browser
    source: 'webrtc:'
server:
  host: 127.0.0.1
  port: 7878
  allowedOrigins: [http://localhost:5173]
labels: [person, car]
keep:
  days: 30
\`\`\`

### Outputs

Messages leave by the server's own connections ([protocol.md](protocol.md)) without configuration, and by webhooks and MQTT
([clients.md](clients.md)) where these are configured. \`webhooks\` is a list of at most 32 entries:

| entry | type | meaning |
| --- | --- | --- |
| \`url\` | http or https URL | address that each message is posted to; required |
| \`secret\` | text of 8 or more characters | key of the signature; \`env:NAME\` takes it from an environment variable; without it nothing is signed |
| \`types\` | list | types of messages, such as \`event.observed\`; without it all durable types |
| \`streams\` | list | ids of streams; without it all |
| \`minProbability\` | number from 0 to 1 | least probability of predictions |
| \`allowPrivate\` | \`true\` or \`false\` | whether the address may be on a private network; without it as \`webhookAllowPrivate\` |

\`\`\`yaml
webhooks:
  - url: https://example.com/presage
    secret: env:WEBHOOK_SECRET
    types: [event.observed, prediction.created]
    streams: [street]
    minProbability: 0.6
    allowPrivate: false
mqtt:
  url: mqtt://broker.local
  topic: presage
  discovery: false
\`\`\`

### Places for one stream

\`presage watch\`, \`analyze\` and \`ask\` read zones and lines from the file of \`--places\`, JSON or YAML:

\`\`\`json
{ "zones": { "door": [[0.1, 0.2], [0.3, 0.2], [0.3, 0.6]] }, "lines": { "gate": [[0.5, 0.1], [0.5, 0.9]] } }
\`\`\`

## Other environment variables

| variable | meaning |
| --- | --- |
| \`MEDIASOUP_WORKER_BIN\` | worker program for \`--webrtc mediasoup\`; without it the one that npm installs |
| \`NODE_EXTRA_CA_CERTS\` | file of additional certificate authorities (PEM), for \`mqtts://\`, webhooks and \`--openai-url\` |
| \`NO_COLOR\`, \`FORCE_COLOR\` | terminal output without, or with, colours |`;
