import { z } from 'zod';
import type { Operation } from '../operation.js';

const SDP = 'application/sdp';
const FRAGMENT = 'application/trickle-ice-sdpfrag';
const WAYS = [
  { name: 'whip', title: 'WHIP', does: 'Publishes video', access: 'publish' },
  { name: 'whep', title: 'WHEP', does: 'Views a stream', access: 'read' },
] as const;

function signalling({ name, title, does, access }: (typeof WAYS)[number]): Operation[] {
  const path = `/v1/streams/{id}/${name}`;
  const session = `${path}/{session}`;
  return [
    {
      method: 'post',
      path,
      id: `${name}Begin`,
      tag: 'video',
      summary: `${does} by WebRTC (${title}): an SDP offer`,
      access,
      body: { description: 'The offer', type: SDP },
      answers: {
        201: {
          description: 'The answer',
          type: SDP,
          headers: { Location: 'Of the session', ETag: 'Of its ICE credentials', Link: 'ICE servers' },
        },
      },
      errors: [400, 404, 406, 409, 415, 503],
    },
    {
      method: 'patch',
      path: session,
      id: `${name}Trickle`,
      tag: 'video',
      summary: 'Adds ICE candidates, or restarts ICE',
      access,
      body: { description: 'Candidates', type: FRAGMENT },
      answers: { 200: { description: 'ICE restarted', type: FRAGMENT }, 204: { description: 'Taken' } },
      errors: [400, 404, 412, 415, 428],
    },
    {
      method: 'delete',
      path: session,
      id: `${name}End`,
      tag: 'video',
      summary: 'Ends the session',
      access,
      answers: { 200: { description: 'Ended' } },
      errors: [404],
    },
    ...[path, session].map((target): Operation => ({
      method: 'options',
      path: target,
      id: `${name}${target === path ? '' : 'Session'}Options`,
      tag: 'video',
      summary: 'Tells what is taken here',
      access: 'public',
      answers: { 204: { description: 'See Accept-Post, Accept-Patch and Allow' } },
    })),
  ];
}

const annotated = z.object({
  annotated: z.enum(['0', '1']).optional().describe('1: with boxes, ids and predicted paths'),
  fps: z.number().optional(),
});

export const VIDEO_OPERATIONS: readonly Operation[] = [
  ...WAYS.flatMap(signalling),
  {
    method: 'get',
    path: '/v1/streams/{id}/video.mjpeg',
    id: 'viewMjpeg',
    tag: 'video',
    summary: 'Live pictures, one after the other; X-Presage-Mediatime is the media time of each',
    access: 'read',
    query: annotated,
    answers: { 200: { description: 'JPEGs', type: 'multipart/x-mixed-replace' } },
    errors: [400, 404, 503],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/video.mp4',
    id: 'viewMp4',
    tag: 'video',
    summary: 'Live video as fragmented MP4',
    access: 'read',
    query: annotated,
    answers: { 200: { description: 'Video', type: 'video/mp4' } },
    errors: [400, 404, 503],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/frame.jpg',
    id: 'getFrame',
    tag: 'video',
    summary: 'The newest picture, or that of a media time',
    access: 'read',
    query: z.object({ t: z.number().min(0).optional().describe('Media time, s') }),
    answers: { 200: { description: 'A JPEG', type: 'image/jpeg' } },
    errors: [400, 404],
  },
  {
    method: 'get',
    path: '/v1/streams/{id}/clips/{clip}',
    id: 'getClip',
    tag: 'video',
    summary: 'The original video around an event, such as e5.mp4',
    access: 'read',
    query: z.object({ before: z.number().min(0).optional(), after: z.number().min(0).optional() }),
    answers: { 200: { description: 'Video', type: 'video/mp4' } },
    errors: [400, 404, 410],
  },
];
