using PsyLite.Models.Text;

namespace PsyLite.Tests.Models;

public sealed class SentencePieceModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-model").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Settings_are_read_from_the_model()
    {
        var model = SentencePieceModel.Load(Train("settings", "--model_type=bpe", "--normalization_rule_name=identity", "--add_dummy_prefix=false",
            "--remove_extra_whitespaces=false", "--byte_fallback=true", "--bos_id=2", "--eos_id=1", "--eos_piece=[end]", "--pad_id=3", "--unk_surface=?"));
        Assert.Equal(new SentencePieceSettings
        {
            AddDummyPrefix = false,
            RemoveExtraWhitespaces = false,
            ByteFallback = true,
            EosPiece = "[end]",
            UnknownSurface = "?",
        }, model.Settings);
        Assert.Equal((0, 2, 1, 3), (model.UnknownId, model.BosId, model.EosId, model.PadId));
        Assert.Equal(("[end]", PieceType.Control), (model.Pieces[1].Text, model.Pieces[1].Type));
        Assert.Equal(-1, model.IdOf("not a piece"));
    }

    [Fact]
    public void Models_that_would_encode_differently_are_refused_with_advice()
    {
        AssertRefused("only BPE", Train("unigram", "--model_type=unigram", "--normalization_rule_name=identity"));
        AssertRefused("'nmt_nfkc' rewrites characters", Train("nfkc", "--model_type=bpe"));
        var damaged = Path.Combine(_folder, "damaged.model");
        File.WriteAllBytes(damaged, File.ReadAllBytes(Train("whole", "--model_type=bpe", "--normalization_rule_name=identity"))[..500]);
        AssertRefused("damaged", damaged);
        File.WriteAllBytes(damaged, []);
        AssertRefused("no pieces", damaged);
        Assert.Throws<FileNotFoundException>(() => SentencePieceModel.Load(Path.Combine(_folder, "absent.model")));
    }

    [Fact]
    public void Contradictory_pieces_are_refused()
    {
        SentencePiece unknown = new("<unk>", 0, PieceType.Unknown), a = new("a", -1, PieceType.Normal);
        AssertContradiction("no unknown", a);
        AssertContradiction("two unknown", unknown, new("<u>", 0, PieceType.Unknown));
        AssertContradiction("twice", unknown, a, a);
        AssertContradiction("piece 1", unknown, new("", 0, PieceType.Normal));
        AssertContradiction("piece 1", unknown, a with { Score = float.NaN });
        AssertContradiction("piece 1", unknown, a with { Type = (PieceType)9 });
        AssertContradiction("byte fallback is off", unknown, new("<0x41>", 0, PieceType.Byte));
        Assert.Throws<InvalidDataException>(() => new SentencePieceModel([unknown, new("<0x41>", 0, PieceType.Byte)], new() { ByteFallback = true }));
        Assert.Throws<InvalidDataException>(() => new SentencePieceModel([unknown, new("<0xZZ>", 0, PieceType.Byte)], new() { ByteFallback = true }));
    }

    private static void AssertContradiction(string message, params SentencePiece[] pieces) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => new SentencePieceModel(pieces, new())).Message);

    private static void AssertRefused(string message, string path)
    {
        var error = Assert.Throws<InvalidDataException>(() => SentencePieceModel.Load(path));
        Assert.Contains(message, error.Message);
        Assert.StartsWith(path, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    private string Train(string name, params string[] options) => SpmTools.Train(
        _folder, name, string.Join('\n', VariedText.Lines(300, seed: 12).Select(l => l.Replace("\0", ""))),
        ["--vocab_size=700", "--hard_vocab_limit=false", "--character_coverage=0.98", .. options]);
}
