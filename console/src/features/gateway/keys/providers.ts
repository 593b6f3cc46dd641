/** Providers that take a key. The server has the last word, and names its own in a refusal. */
export const PROVIDERS: Record<string, string> = {
  anthropic: "Anthropic",
  azure: "Azure OpenAI",
  bedrock: "Amazon Bedrock",
  deepseek: "DeepSeek",
  gemini: "Google Gemini",
  groq: "Groq",
  mistral: "Mistral",
  openai: "OpenAI",
  together: "Together",
};

export function providerName(provider: string): string {
  return PROVIDERS[provider] ?? provider;
}
