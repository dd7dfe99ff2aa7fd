using System.Text;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Models;

public sealed class SentencePieceTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-spm").FullName;

    public static TheoryData<string, string[]> Models => new()
    {
        { "like our own", ["--normalization_rule_name=identity", "--add_dummy_prefix=false", "--remove_extra_whitespaces=false", "--byte_fallback=true", "--split_digits=true", "--user_defined_symbols=<think>,</think>", "--control_symbols=<|im_start|>,<|im_end|>"] },
        { "defaults of SentencePiece without its character map", ["--normalization_rule_name=identity"] },
        { "spaces at the end of words", ["--normalization_rule_name=identity", "--treat_whitespace_as_suffix=true", "--byte_fallback=true"] },
        { "merges across words", ["--normalization_rule_name=identity", "--split_by_whitespace=false", "--split_by_unicode_script=false", "--remove_extra_whitespaces=false", "--allow_whitespace_only_pieces=true", "--byte_fallback=true"] },
        { "user-defined pieces with spaces", ["--normalization_rule_name=identity", "--user_defined_symbols=  ,a b,——,……,哈哈哈, x"] },
    };

    /// <summary>Path of InternLM2.5's tokenizer in a folder "shared" beside the project, null if it is not there.</summary>
    private static string? InternLm25Model
    {
        get
        {
            for (var folder = Directory.GetParent(ReferenceGraphTests.Root); folder is not null; folder = folder.Parent)
            {
                var path = Path.Combine(folder.FullName, "shared/tokenizer/tokenizer_internlm2.model");
                if (File.Exists(path))
                {
                    return path;
                }
            }

            return null;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Models))]
    public void Encodes_and_decodes_2000_lines_as_SentencePiece_does(string name, string[] options)
    {
        var model = TrainSmall(name, options);
        AssertSame(model, VariedText.Lines(2000, seed: 11));
    }

    [Fact]
    public void Encodes_and_decodes_10000_lines_as_SentencePiece_does()
    {
        // The tokenizer of InternLM2.5 where it lies beside the project, otherwise a model of the same kind trained here.
        AssertSame(InternLm25Model ?? TrainSmall("ten thousand", (string[])Models.First()[1]), VariedText.Lines(10_000, seed: 5));
    }

    [Fact]
    public void Long_lines_of_one_kind_are_encoded_as_SentencePiece_does()
    {
        var model = TrainSmall("long", (string[])Models.First()[1]);
        AssertSame(model, [new string('哈', 5000), string.Concat(Enumerable.Repeat("今天很难过", 1000)), new string(' ', 3000), new string('z', 4097)]);
    }

    [Fact]
    public void Unused_pieces_are_split_again_as_SentencePiece_does()
    {
        var path = TrainSmall("unused", (string[])Models.First()[1]);
        var lines = VariedText.Lines(1000, seed: 3);

        // spm_encode marks every piece missing from --vocabulary as unused; the same is done here by hand.
        var pieces = SentencePieceModel.Load(path);
        var kept = pieces.Pieces.Where((p, id) => p.Type == PieceType.Normal && id % 3 != 0).Select(p => p.Text).ToHashSet();
        File.WriteAllLines(Path.Combine(_folder, "kept.tsv"), kept.Select(p => p + "\t1"));
        var restricted = new SentencePieceTokenizer(new SentencePieceModel(
            pieces.Pieces.Select(p => p.Type == PieceType.Normal && p.Text.EnumerateRunes().Count() > 1 && !kept.Contains(p.Text) ? p with { Type = PieceType.Unused } : p),
            pieces.Settings));
        var expected = SpmTools.Encode(path, lines, $"--vocabulary={Path.Combine(_folder, "kept.tsv")}", "--vocabulary_threshold=1");
        Assert.Equal(lines.Count, expected.Length);
        for (var i = 0; i < lines.Count; i++)
        {
            Assert.Equal(expected[i], restricted.Encode(lines[i]));
        }
    }

    [Fact]
    public void Control_pieces_come_only_from_text_that_is_allowed_to_hold_them()
    {
        var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Load(TrainSmall("control", (string[])Models.First()[1])));
        var start = tokenizer.Model.IdOf("<|im_start|>");
        Assert.Equal(PieceType.Control, tokenizer.Model.Pieces[start].Type);
        const string Text = "<s>a<|im_start|>user\n<<|im_end|></s><unk>";

        var plain = tokenizer.Encode(Text);
        Assert.DoesNotContain(plain, id => tokenizer.Model.Pieces[id].Type == PieceType.Control);
        Assert.Equal(Text, tokenizer.Decode(plain));

        var special = tokenizer.Encode(Text, allowSpecial: true);
        Assert.Equal(4, special.Count(id => tokenizer.Model.Pieces[id].Type == PieceType.Control));
        Assert.Equal(tokenizer.Model.BosId, special[0]);
        Assert.Equal("auser\n<<unk>", tokenizer.Decode(special));
        Assert.Equal(Text, tokenizer.Decode(special, showControl: true));
    }

    [Fact]
    public void Placeholders_that_a_chat_configuration_turned_into_control_pieces_cannot_be_typed()
    {
        // As in InternLM2.5, where [UNUSED_TOKEN_145] is the id that chats know as <|im_end|>.
        var plain = SentencePieceModel.Load(TrainSmall("placeholder", ["--normalization_rule_name=identity", "--byte_fallback=true", "--user_defined_symbols=[UNUSED_TOKEN_145]"]));
        var id = plain.IdOf("[UNUSED_TOKEN_145]");
        Assert.Contains(id, new SentencePieceTokenizer(plain).Encode("a[UNUSED_TOKEN_145]b"));
        var chat = new SentencePieceTokenizer(plain.WithControlPieces(new Dictionary<int, string> { [id] = "<|im_end|>" }));
        Assert.DoesNotContain(id, chat.Encode("a[UNUSED_TOKEN_145]b<|im_end|>"));
        Assert.Contains(id, chat.Encode("a<|im_end|>", allowSpecial: true));
    }

    [Fact]
    public void Streaming_gives_the_same_text_and_never_half_a_character()
    {
        var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Load(TrainSmall("stream", (string[])Models.First()[1])));
        foreach (var line in VariedText.Lines(300, seed: 8))
        {
            var ids = tokenizer.Encode(line);
            var (whole, stream) = (new StringBuilder(), new TokenTextStream(tokenizer));
            foreach (var id in ids)
            {
                var delta = new StringBuilder();
                stream.Append(id, delta);
                Assert.DoesNotContain('\ud800', delta.ToString());
                Assert.True(delta.Length == 0 || !char.IsHighSurrogate(delta[^1]));
                whole.Append(delta);
            }

            stream.Finish(whole);
            Assert.Equal(tokenizer.Decode(ids), whole.ToString());
            Assert.Equal(line.Replace('\u2581', ' '), whole.ToString());
        }
    }

    [Fact]
    public void Stray_bytes_decode_to_one_replacement_character_each()
    {
        var path = TrainSmall("bytes", (string[])Models.First()[1]);
        var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Load(path));
        var random = new Random(4);
        var lines = Enumerable.Range(0, 500).Select(_ => Enumerable.Range(0, random.Next(1, 9))
            .Select(_ => tokenizer.Model.IdOf($"<0x{random.Next(4) switch { 0 => 0xe4, 1 => 0x80 + random.Next(64), 2 => 0xf0, _ => 0x41 }:X2}>")).ToArray()).ToList();
        Assert.Equal(SpmTools.Decode(path, lines), lines.Select(l => tokenizer.Decode(l)));
    }

    [Fact]
    public void Lone_surrogates_count_as_the_replacement_character()
    {
        var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Load(TrainSmall("lone", (string[])Models.First()[1])));
        Assert.Equal("a\ufffdb", tokenizer.Decode(tokenizer.Encode("a\ud83db")));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([tokenizer.VocabSize]));
        Assert.Empty(tokenizer.Encode(""));
    }

    private static void AssertSame(string modelPath, List<string> lines)
    {
        var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Load(modelPath));
        var expected = SpmTools.Encode(modelPath, lines);
        Assert.Equal(lines.Count, expected.Length);
        var actual = lines.Select(l => tokenizer.Encode(l)).ToArray();
        for (var i = 0; i < lines.Count; i++)
        {
            Assert.True(expected[i].AsSpan().SequenceEqual(actual[i]), $"line {i} '{lines[i]}': expected {string.Join(' ', expected[i])}, was {string.Join(' ', actual[i])}");
        }

        var decoded = SpmTools.Decode(modelPath, actual);
        Assert.Equal(lines.Count, decoded.Length);
        for (var i = 0; i < lines.Count; i++)
        {
            Assert.Equal(decoded[i], tokenizer.Decode(actual[i]));
        }
    }

    private string TrainSmall(string name, string[] options) => SpmTools.Train(
        _folder, name.Replace(' ', '_'), string.Join('\n', VariedText.Lines(3000, seed: 1).Select(l => l.Replace("\0", ""))),
        ["--model_type=bpe", "--vocab_size=1200", "--character_coverage=0.98", "--max_sentence_length=65536", .. options]);
}
