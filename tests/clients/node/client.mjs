// The Vercel AI SDK, unchanged. Reads a task as JSON on standard input, writes what came as JSON.
//
//   {"sdk": "openai" | "responses" | "anthropic" | "compatible", "task": ..., "model", "url", "key"}

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, stepCountIs, streamObject, streamText, tool } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false; // they go to standard output, among them that it knows no limit of a model

const { sdk, task, model: name, url, key } = JSON.parse(await read(process.stdin));
const headers = { "x-mainspring-feature": "help-desk" };

const makers = {
  openai: () => createOpenAI({ baseURL: url, apiKey: key, headers }).chat(name),
  responses: () => createOpenAI({ baseURL: url, apiKey: key, headers }).responses(name),
  anthropic: () => createAnthropic({ baseURL: url, apiKey: key, headers })(name),
  compatible: () =>
    createOpenAICompatible({
      name: "mainspring",
      baseURL: url,
      apiKey: key,
      headers,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(name),
};
const model = makers[sdk]();
const schema = z.object({ party: z.string(), days: z.number().int() });
const tools = {
  weather: tool({
    description: "The weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `result for ${city}`,
  }),
};

const tasks = {
  async generate() {
    const { text, usage, finishReason, response } = await generateText({
      model,
      system: "Be brief.",
      prompt: "The notice period?",
      maxRetries: 0,
    });
    return { text, usage, finishReason, headers: response.headers };
  },
  async stream() {
    const result = streamText({ model, prompt: "Count.", maxOutputTokens: 20, maxRetries: 0 });
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    return { pieces, usage: await result.usage, finishReason: await result.finishReason };
  },
  async tools() {
    const { text, steps } = await generateText({ model, prompt: "The weather?", tools, stopWhen: stepCountIs(3) });
    return { text, calls: steps.flatMap((step) => step.toolCalls.map((call) => [call.toolName, call.input])) };
  },
  async streamed_tools() {
    const result = streamText({ model, prompt: "The weather?", tools, stopWhen: stepCountIs(3) });
    const calls = [];
    for await (const part of result.fullStream) {
      if (part.type === "tool-call") calls.push([part.toolName, part.input]);
      if (part.type === "error") throw part.error;
    }
    return { text: await result.text, calls };
  },
  async object() {
    return (await generateObject({ model, schema, prompt: "The term?", maxRetries: 0 })).object;
  },
  async streamed_object() {
    const result = streamObject({ model, schema, prompt: "The term?", maxRetries: 0 });
    for await (const _ of result.partialObjectStream);
    return await result.object;
  },
  async image() {
    const data = Buffer.from("not really a picture");
    const image = { type: "image", image: data, mediaType: "image/png" };
    const content = [{ type: "text", text: "What is this?" }, image];
    return { text: (await generateText({ model, messages: [{ role: "user", content }] })).text };
  },
  async refused() {
    try {
      await generateText({ model, prompt: "hi", maxRetries: 0 });
    } catch (error) {
      return { name: error.name, status: error.statusCode, message: error.message, isRetryable: error.isRetryable };
    }
    return {};
  },
};

process.stdout.write(JSON.stringify(await tasks[task]()));

async function read(stream) {
  let text = "";
  for await (const piece of stream) text += piece;
  return text;
}
