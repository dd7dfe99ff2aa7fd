using System.Text.Json;
using PsyLite.Models.Text;
using PsyLite.Training;
using PsyLite.Training.Data;
using PsyLite.Training.Losses;

namespace PsyLite.Tests.Training.Data;

/// <summary>Rows and pairs of both stages as evaluation by hand has them: template, mask, truncation, packing.</summary>
public sealed class StageDataTests : IDisposable
{
    private static readonly SentencePieceTokenizer Tokenizer =
        new(SentencePieceModel.Load(Path.Combine(ReferenceGraphTests.Root, "models", "psylite-mini", "tokenizer.model")));

    private static readonly SampleEncoder Encoder = new(Tokenizer);
    private readonly string _folder = Directory.CreateTempSubdirectory("stage").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string text)
    {
        var path = Path.Combine(_folder, "data.jsonl");
        File.WriteAllText(path, text);
        return path;
    }

    private static string Learned(EncodedSample sample) => Tokenizer.Decode([.. sample.Labels.Where(l => l != SampleEncoder.Ignored)], showControl: true);

    [Theory]
    [InlineData("", "<s><|im_start|>user\n睡不着\n<|im_end|>\n<|im_start|>assistant\n")]
    [InlineData("三天了", "<s><|im_start|>user\n睡不着\n三天了<|im_end|>\n<|im_start|>assistant\n")]
    public void An_alpaca_row_is_the_template_of_XTuner_with_loss_on_the_output_and_its_tag(string input, string prompt)
    {
        var row = JsonLines.Samples([Write(JsonSerializer.Serialize(new { instruction = "睡不着", input, output = "<think>\n先共情\n</think>\n\n辛苦了" }))]).Single();
        var encoded = Encoder.Encode(row, LossScope.LastReply, 100)!;
        Assert.Equal(prompt + "<think>\n先共情\n</think>\n\n辛苦了<|im_end|>\n", Tokenizer.Decode(encoded.Tokens, showControl: true));
        Assert.Equal("<think>\n先共情\n</think>\n\n辛苦了<|im_end|>", Learned(encoded));
    }

    [Fact]
    public void Earlier_turns_in_a_field_of_their_own_come_first_and_are_not_learned()
    {
        var row = JsonLines.Samples([Write("""{"instruction":"还是睡不着","input":"","output":"嗯","history":[["睡不着","多久了"]]}""")]).Single();
        Assert.Equal(["睡不着", "多久了", "还是睡不着\n", "嗯"], row.Messages.Select(m => m.Content));
        Assert.Equal("嗯<|im_end|>", Learned(Encoder.Encode(row, LossScope.LastReply, 100)!));
        Assert.Throws<InvalidDataException>(() => JsonLines.Samples([Write("""{"instruction":"a","output":"b","history":[["x"]]}""")]));
    }

    [Fact]
    public void Of_a_pair_the_newline_behind_the_reply_is_learned_too()
    {
        var pair = PreferencePair.FromJson("""{"chosen":[{"role":"user","content":"好"},{"role":"assistant","content":"嗯"}],"rejected":[{"role":"user","content":"好"},{"role":"assistant","content":"不"}]}""");
        var encoded = EncodedPair.Encode(Encoder, pair, 64, Overlong.KeepEnd)!;
        Assert.Equal("嗯<|im_end|>\n", Tokenizer.Decode(encoded.Chosen.Tokens.AsSpan(encoded.Chosen.Reply), showControl: true));
        var batch = PairPacking.Pack([encoded, encoded], 1000, promptLabels: false).Single();
        Assert.Equal(2, batch.Pairs);
        for (var segment = 0; segment < 4; segment++)
        {
            var (start, end) = batch.Segment(segment);
            Assert.Equal((segment % 2 == 0 ? "嗯" : "不") + "<|im_end|>\n", Tokenizer.Decode(batch.Row.Labels.AsSpan(start, end - start), showControl: true));
        }

        // TRL's likelihood has labels on the prompts of the chosen side as well, never across a border.
        var trl = PairPacking.Pack([encoded], 1000, promptLabels: true).Single();
        Assert.Equal(encoded.Chosen.Tokens[1..], trl.Row.Labels[..(encoded.Chosen.Tokens.Length - 1)]);
        Assert.Equal(TrainingBatch.Ignored, trl.Row.Labels[encoded.Chosen.Tokens.Length - 1]);
        Assert.Equal(TrainingBatch.Ignored, trl.Row.Labels[encoded.Chosen.Tokens.Length]);
        Assert.Equal(encoded.Chosen.Tokens.Length - 1, new OrpoLoss(new OrpoOptions(Nll: OrpoNll.Trl)).Count(trl).NllTokens);
    }

    [Fact]
    public void A_long_reply_keeps_its_closing_tag_unless_the_original_behaviour_is_asked_for()
    {
        var sample = new TrainingSample("x", "x", [new("user", "你好"), new("assistant", new string('好', 80))]);
        var whole = Encoder.Encode(sample, LossScope.LastReply, 1000)!;
        var limit = whole.Tokens.Length - 5;
        var kept = Encoder.Encode(sample, LossScope.LastReply, limit, Overlong.KeepEnd)!;
        Assert.Equal(limit, kept.Tokens.Length);
        Assert.EndsWith("好<|im_end|>\n", Tokenizer.Decode(kept.Tokens, showControl: true));
        Assert.EndsWith("好<|im_end|>", Learned(kept));
        var cut = Encoder.Encode(sample, LossScope.LastReply, limit, Overlong.Cut)!;
        Assert.Equal(whole.Tokens[..limit], cut.Tokens);
        Assert.DoesNotContain("<|im_end|>", Learned(cut));
        Assert.Null(Encoder.Encode(sample, LossScope.LastReply, limit, Overlong.Drop));

        // Nothing of the reply is left: no labels, no sample.
        var prompt = new TrainingSample("x", "x", [new("user", new string('好', 200)), new("assistant", "嗯")]);
        Assert.All(Enum.GetValues<Overlong>(), overlong => Assert.Null(Encoder.Encode(prompt, LossScope.LastReply, 40, overlong)));
    }

    [Fact]
    public void The_original_packing_cuts_samples_and_loses_the_rest_and_ours_does_not()
    {
        var samples = Enumerable.Range(1, 40).Select(i => Encoder.Encode(new TrainingSample("x", "x", [new("user", "好"), new("assistant", new string('好', i))]), LossScope.LastReply, 200)!).ToList();
        var total = samples.Sum(s => s.Tokens.Length);
        var cut = RowPacking.Pack(samples, 128, PackingMode.Cut).ToList();
        Assert.Equal(total / 128, cut.Count);
        Assert.All(cut, row => Assert.Equal(128, row.Tokens.Length));
        Assert.Equal(samples.SelectMany(s => s.Tokens).Take(128 * cut.Count), cut.SelectMany(r => r.Tokens));
        Assert.Contains(cut, row => row.Tokens[0] != Tokenizer.Model.BosId);
        Assert.All(cut, row => Assert.Equal(SampleEncoder.Ignored, row.Labels[^1]));

        var epochs = Epochs.Rows(samples, 2, seed: 1, 128, PackingMode.Whole).ToList();
        Assert.Equal(80, epochs.Sum(r => r.SegmentStarts.Length));
        Assert.Equal(2 * total, epochs.Sum(r => r.Tokens.Length));
        Assert.Equal(epochs.Select(r => r.Tokens), Epochs.Rows(samples, 2, seed: 1, 128, PackingMode.Whole).Select(r => r.Tokens));
        Assert.NotEqual(epochs[0].Tokens, Epochs.Rows(samples, 2, seed: 2, 128, PackingMode.Whole).First().Tokens);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("{\"instruction\":\"x\"}")]
    [InlineData("{\"instruction\":{},\"output\":3}")]
    [InlineData("{\"messages\":[]}")]
    [InlineData("[]")]
    public void A_wrong_line_is_named(string line)
    {
        var error = Assert.Throws<InvalidDataException>(() => JsonLines.Samples([Write("{\"instruction\":\"a\",\"output\":\"b\"}\n\n" + line + "\n")]));
        Assert.Contains("line 3", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Mutated_lines_are_read_or_refused()
    {
        var line = """{"chosen":[{"role":"user","content":"好"},{"role":"assistant","content":"嗯"}],"rejected":[{"role":"user","content":"好"},{"role":"assistant","content":"不"}]}""";
        var random = new Random(3);
        for (var i = 0; i < 4000; i++)
        {
            var text = line.ToCharArray();
            for (var k = random.Next(1, 4); k > 0; k--)
            {
                text[random.Next(text.Length)] = "{}[]\",:\\0好e"[random.Next(11)];
            }

            var path = new string(text, 0, random.Next(text.Length / 2, text.Length + 1));
            foreach (var read in new Action[] { () => PreferencePair.FromJson(path), () => TrainingSample.FromJson(path) })
            {
                try
                {
                    read();
                }
                catch (InvalidDataException e)
                {
                    Assert.DoesNotContain('\n', e.Message);
                }
            }
        }
    }
}
