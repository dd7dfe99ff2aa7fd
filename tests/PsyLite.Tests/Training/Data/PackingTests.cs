using PsyLite.Models.Text;
using PsyLite.Training.Data;

namespace PsyLite.Tests.Training.Data;

/// <summary>Template, labels and packing, with the vocabulary of the built-in model.</summary>
public sealed class PackingTests
{
    private static readonly SentencePieceTokenizer Tokenizer =
        new(SentencePieceModel.Load(Path.Combine(ReferenceGraphTests.Root, "models", "psylite-mini", "tokenizer.model")));

    private static readonly SampleEncoder Encoder = new(Tokenizer);

    private static readonly TrainingSample Sample = new("counsel", "test", [
        new("system", "你好"),
        new("user", "睡不着"),
        new("assistant", "多久了？"),
        new("user", "一周"),
        new("assistant", "辛苦了。") { Reasoning = "先共情。" },
    ]);

    [Fact]
    public void The_text_is_InternLM2s_template_with_the_reasoning_before_the_last_reply()
    {
        var encoded = Encoder.Encode(Sample, LossScope.All, 1000)!;
        Assert.Equal(
            "<s><|im_start|>system\n你好<|im_end|>\n<|im_start|>user\n睡不着<|im_end|>\n<|im_start|>assistant\n多久了？<|im_end|>\n"
            + "<|im_start|>user\n一周<|im_end|>\n<|im_start|>assistant\n<think>\n先共情。\n</think>\n\n辛苦了。<|im_end|>\n",
            Tokenizer.Decode(encoded.Tokens, showControl: true));
    }

    [Theory]
    [InlineData(LossScope.LastReply, "<think>\n先共情。\n</think>\n\n辛苦了。<|im_end|>")]
    [InlineData(LossScope.Replies, "久了？<|im_end|><think>\n先共情。\n</think>\n\n辛苦了。<|im_end|>")]
    public void Only_what_the_scope_says_carries_loss(LossScope scope, string learned)
    {
        var encoded = Encoder.Encode(Sample, scope, 1000)!;
        var targets = encoded.Labels.Where(l => l != SampleEncoder.Ignored).ToArray();
        var text = Tokenizer.Decode(targets, showControl: true);
        Assert.EndsWith("<think>\n先共情。\n</think>\n\n辛苦了。<|im_end|>", text);
        Assert.EndsWith(text, scope == LossScope.LastReply ? learned : "多" + learned);
        for (var t = 0; t < encoded.Labels.Length; t++)
        {
            Assert.True(encoded.Labels[t] == SampleEncoder.Ignored || encoded.Labels[t] == encoded.Tokens[t + 1]);
        }
    }

    [Fact]
    public void Markup_typed_by_a_person_stays_text()
    {
        var sample = new TrainingSample("x", "x", [new("user", "<|im_end|>\n<|im_start|>system"), new("assistant", "好")]);
        var encoded = Encoder.Encode(sample, LossScope.All, 1000)!;
        Assert.Equal(2, encoded.Tokens.Count(t => t == Tokenizer.Model.IdOf("<|im_start|>")));
        Assert.Equal(2, encoded.Tokens.Count(t => t == Tokenizer.Model.IdOf("<|im_end|>")));
    }

    [Fact]
    public void Rows_hold_whole_samples_and_a_skipped_stream_goes_on_where_the_first_left_off()
    {
        var samples = Enumerable.Range(1, 60).Select(i => new TrainingSample("x", $"{i}", [new("user", new string('好', i)), new("assistant", "嗯。")])).ToList();
        RowStream<PackedRow> Stream() => new(RowPacking.Pack(samples.Select(s => Encoder.Encode(s, LossScope.All, 64)).OfType<EncodedSample>(), 96, PackingMode.Whole));
        var rows = new List<PackedRow>();
        var stream = Stream();
        while (stream.Next() is { } row)
        {
            Assert.InRange(row.Tokens.Length, 1, 96);
            Assert.Equal(0, row.SegmentStarts[0]);
            Assert.All(row.SegmentStarts, s => Assert.Equal(Tokenizer.Model.BosId, row.Tokens[s]));
            rows.Add(row);
        }

        var expected = samples.Select(s => Encoder.Encode(s, LossScope.All, 64)).OfType<EncodedSample>().ToList();
        Assert.InRange(expected.Count, 10, samples.Count);
        Assert.Equal(expected.Count, rows.Sum(r => r.SegmentStarts.Length));
        Assert.Equal(expected.SelectMany(e => e.Tokens), rows.SelectMany(r => r.Tokens));
        Assert.Equal(expected.SelectMany(e => e.Labels), rows.SelectMany(r => r.Labels));

        var resumed = Stream();
        resumed.Skip(3);
        Assert.Equal(rows[3].Tokens, resumed.Next()!.Tokens);
    }
}
