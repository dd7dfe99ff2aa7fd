using PsyLite.Engine;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;
using PsyLite.Training;
using PsyLite.Training.Kernels;

namespace PsyLite.Tests.Engine;

/// <summary>What the trainer computes and what llama.cpp computes from the exported file are the same model.</summary>
public sealed class TrainerParityTests
{
    private static readonly SentencePieceModel Vocabulary = SentencePieceModel.Load(Path.Combine(ReferenceGraphTests.Root, "models", "psylite-mini", "tokenizer.model"));

    [Theory]
    [InlineData(256, 768, 8, 4)]
    [InlineData(128, 160, 4, 4)]
    [InlineData(192, 256, 6, 1)]
    public void Exported_F32_gives_llama_cpps_logits_to_a_thousandth_of_their_range(int hidden, int feedForward, int heads, int keyValueHeads)
    {
        var config = new ModelConfig(Vocabulary.VocabSize, hidden, feedForward, Layers: 3, heads, keyValueHeads, ContextLength: 256);
        using var pool = new WorkerPool(2);
        using var transformer = new Transformer(config, pool, maxTokens: 128);
        transformer.Parameters.Initialise(seed: 11);
        foreach (var parameter in transformer.Parameters.All.Where(p => !p.IsVector))
        {
            foreach (ref var value in parameter.Values)
            {
                // Attention and logits far from uniform, so that a wrong rotation or head order shows.
                value *= 2f;
            }
        }

        var tensors = transformer.Parameters.All.ToDictionary(
            p => p.Name, p => TensorSource.From(p.Values.ToArray(), p.IsVector ? [p.Columns] : [p.Rows, p.Columns]));
        var path = Path.Combine(Directory.CreateTempSubdirectory("psylite-parity-").FullName, "random.gguf");
        try
        {
            InternLm2Gguf.Write(path, config, Vocabulary, tensors, GgmlType.F32, new ModelCard("parity"));
            var random = new Random(5);
            var tokens = Enumerable.Range(0, 100).Select(_ => random.Next(Vocabulary.VocabSize)).ToArray();
            var ours = new float[tokens.Length * config.VocabSize];
            transformer.Logits(tokens, ours);

            using var model = LlamaModel.Load(new LlamaOptions { Path = path, ContextLength = 256, KvCache = KvCacheType.F32, Threads = 1, BatchThreads = 2 });
            var theirs = LlamaLogits.Compute(model, tokens);
            var worst = 0.0;
            var largest = 0.0;
            for (var t = 0; t < tokens.Length; t++)
            {
                for (var v = 0; v < config.VocabSize; v++)
                {
                    worst = Math.Max(worst, Math.Abs(ours[(t * config.VocabSize) + v] - theirs[t][v]));
                    largest = Math.Max(largest, Math.Abs(theirs[t][v]));
                }
            }

            Assert.True(largest > 1, $"logits up to {largest} would hide a difference");
            Assert.True(worst < 1e-3 * largest, $"worst difference {worst:E2} of logits up to {largest:F2}");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [Fact]
    public void Both_tokenise_a_message_alike()
    {
        var config = new ModelConfig(Vocabulary.VocabSize, 64, 96, Layers: 1, Heads: 2, KeyValueHeads: 1, ContextLength: 64);
        using var parameters = new ParameterSet(config);
        parameters.Initialise(1);
        var path = Path.Combine(Directory.CreateTempSubdirectory("psylite-parity-").FullName, "random.gguf");
        try
        {
            var tensors = parameters.All.ToDictionary(p => p.Name, p => TensorSource.From(p.Values.ToArray(), p.IsVector ? [p.Columns] : [p.Rows, p.Columns]));
            InternLm2Gguf.Write(path, config, Vocabulary, tensors, GgmlType.F32, new ModelCard("parity"));
            using var model = LlamaModel.Load(new LlamaOptions { Path = path, ContextLength = 64 });
            var tokenizer = new SentencePieceTokenizer(Vocabulary);
            foreach (var text in new[] { "最近总是失眠，工作压力很大", " 两个  空格 ", "OK lah，唔想再捱落去😭\n\n换行\t制表", "<|im_start|>system", "𠮷野家 2026年11月22日", "撐不下去" })
            {
                Assert.Equal(tokenizer.Encode(text), model.Tokenize(text));
            }
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }
}
