// The Vercel AI SDK, unchanged. Each line of standard input is a task in JSON, each line of output what came of it.
//
//   {"sdk": "openai" | "responses" | "anthropic" | "compatible", "task": ..., "model", "url", "key"}

import { createInterface } from "node:readline";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, stepCountIs, streamObject, streamText, tool } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false; // they go to standard output, among them that it knows no limit of a model

const headers = { "x-mainspring-feature": "help-desk" };

const makers = {
  openai: (name, url, key) => createOpenAI({ baseURL: url, apiKey: key, headers }).chat(name),
  responses: (name, url, key) => createOpenAI({ baseURL: url, apiKey: key, headers }).responses(name),
  anthropic: (name, url, key) => createAnthropic({ baseURL: url, apiKey: key, headers })(name),
  compatible: (name, url, key) =>
    createOpenAICompatible({
      name: "mainspring",
      baseURL: url,
      apiKey: key,
      headers,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(name),
};
const schema = z.object({ party: z.string(), days: z.number().int() });
const tools = {
  weather: tool({
    description: "The weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `result for ${city}`,
  }),
};

const tasks = {
  async generate(model) {
    const { text, usage, finishReason, response } = await generateText({
      model,
      system: "Be brief.",
      prompt: "The notice period?",
      maxRetries: 0,
    });
    return { text, usage, finishReason, headers: response.headers };
  },
  async stream(model) {
    const result = streamText({ model, prompt: "Count.", maxOutputTokens: 20, maxRetries: 0 });
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    return { pieces, usage: await result.usage, finishReason: await result.finishReason };
  },
  async tools(model) {
    const { text, steps } = await generateText({ model, prompt: "The weather?", tools, stopWhen: stepCountIs(3) });
    return { text, calls: steps.flatMap((step) => step.toolCalls.map((call) => [call.toolName, call.input])) };
  },
  async streamed_tools(model) {
    const result = streamText({ model, prompt: "The weather?", tools, stopWhen: stepCountIs(3) });
    const calls = [];
    for await (const part of result.fullStream) {
      if (part.type === "tool-call") calls.push([part.toolName, part.input]);
      if (part.type === "error") throw part.error;
    }
    return { text: await result.text, calls };
  },
  async object(model) {
    return (await generateObject({ model, schema, prompt: "The term?", maxRetries: 0 })).object;
  },
  async streamed_object(model) {
    const result = streamObject({ model, schema, prompt: "The term?", maxRetries: 0 });
    for await (const _ of result.partialObjectStream);
    return await result.object;
  },
  async image(model) {
    const data = Buffer.from("not really a picture");
    const image = { type: "image", image: data, mediaType: "image/png" };
    const content = [{ type: "text", text: "What is this?" }, image];
    return { text: (await generateText({ model, messages: [{ role: "user", content }] })).text };
  },
  async refused(model) {
    try {
      await generateText({ model, prompt: "hi", maxRetries: 0 });
    } catch (error) {
      return { name: error.name, status: error.statusCode, message: error.message, isRetryable: error.isRetryable };
    }
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { sdk, task, model, url, key } = JSON.parse(line);
  const told = await tasks[task](makers[sdk](model, url, key)).catch((error) => ({ failed: error.stack }));
  process.stdout.write(JSON.stringify(told) + "\n");
}
