using System.Globalization;

namespace PsyLite.Models.Text;

/// <summary>A SentencePiece BPE vocabulary: its pieces and the settings that change how text becomes tokens. Immutable.</summary>
/// <remarks>Source of the rules checked here: model_interface.cc of SentencePiece 0.1.97.</remarks>
public sealed class SentencePieceModel
{
    /// <summary>Longest piece that is accepted, in UTF-16 units. InternLM2.5's longest has 384 bytes.</summary>
    internal const int MaxPieceLength = 1024;

    private const char SpaceSymbol = '\u2581';

    private readonly SentencePiece[] _pieces;
    private readonly Dictionary<string, int> _mergeable = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _reserved = new(StringComparer.Ordinal);
    private readonly int[] _byteIds = new int[256];

    /// <summary>Takes the pieces in id order and checks them as SentencePiece does.</summary>
    /// <exception cref="InvalidDataException">The pieces contradict each other or the settings.</exception>
    public SentencePieceModel(IEnumerable<SentencePiece> pieces, SentencePieceSettings settings)
    {
        _pieces = [.. pieces];
        Settings = settings;
        UnknownId = -1;
        Array.Fill(_byteIds, -1);
        for (var id = 0; id < _pieces.Length; id++)
        {
            Register(id, _pieces[id]);
        }

        if (UnknownId < 0)
        {
            throw new InvalidDataException("the tokenizer vocabulary has no unknown piece.");
        }

        if (settings.ByteFallback && _byteIds.Contains(-1))
        {
            throw new InvalidDataException("the tokenizer vocabulary uses byte fallback but lacks some of the 256 byte pieces.");
        }

        BosId = ControlId(settings.BosPiece);
        EosId = ControlId(settings.EosPiece);
        PadId = ControlId(settings.PadPiece);
    }

    /// <summary>All pieces; the index is the token id.</summary>
    public IReadOnlyList<SentencePiece> Pieces => _pieces;

    /// <summary>Normaliser and trainer settings.</summary>
    public SentencePieceSettings Settings { get; }

    /// <summary>Number of pieces.</summary>
    public int VocabSize => _pieces.Length;

    /// <summary>Id of the unknown piece.</summary>
    public int UnknownId { get; private set; }

    /// <summary>Id of the piece that begins a sequence, -1 if there is none.</summary>
    public int BosId { get; }

    /// <summary>Id of the piece that ends a sequence, -1 if there is none.</summary>
    public int EosId { get; }

    /// <summary>Id of the padding piece, -1 if there is none.</summary>
    public int PadId { get; }

    /// <summary>Pieces that the chat configuration of internlm2_5-7b-chat writes over unused entries (tokenizer_config.json, added_tokens_decoder).</summary>
    public static IReadOnlyDictionary<int, string> InternLm25ChatPieces { get; } = new Dictionary<int, string>
    {
        [92538] = "<|plugin|>",
        [92539] = "<|interpreter|>",
        [92540] = "<|action_end|>",
        [92541] = "<|action_start|>",
        [92542] = "<|im_end|>",
        [92543] = "<|im_start|>",
    };

    internal ReadOnlySpan<SentencePiece> PieceSpan => _pieces;

    /// <summary>Ids of normal, user-defined and unused pieces by text: what merging can produce.</summary>
    internal IReadOnlyDictionary<string, int> Mergeable => _mergeable;

    /// <summary>Ids of the byte pieces by byte value; -1 where there is none.</summary>
    internal ReadOnlySpan<int> ByteIds => _byteIds;

    /// <summary>Reads a <c>.model</c> file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not a usable SentencePiece BPE model; the message says why in one line.</exception>
    public static SentencePieceModel Load(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw new FileNotFoundException($"{path}: there is no such tokenizer model; give the path of a SentencePiece .model file.", path);
        }

        if (file.Length > SentencePieceParser.MaxModelBytes)
        {
            throw new InvalidDataException($"{path}: {file.Length} bytes are too many for a SentencePiece model; give the tokenizer's .model file.");
        }

        try
        {
            return Parse(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Reads the bytes of a <c>.model</c> file (a serialised ModelProto).</summary>
    /// <exception cref="InvalidDataException">The bytes are not a usable SentencePiece BPE model.</exception>
    public static SentencePieceModel Parse(byte[] bytes) => SentencePieceParser.Parse(bytes);

    /// <summary>The id of a piece by its exact text, -1 if there is none. Reserved pieces go first, as in SentencePiece.</summary>
    public int IdOf(string piece) =>
        _reserved.TryGetValue(piece, out var id) || _mergeable.TryGetValue(piece, out id) ? id : -1;

    /// <summary>
    /// The same vocabulary with some entries turned into control pieces, as a chat configuration does with unused ones.
    /// Their score becomes -1000, the value llama.cpp's converter writes.
    /// </summary>
    /// <exception cref="ArgumentException">An id is outside the vocabulary.</exception>
    public SentencePieceModel WithControlPieces(IReadOnlyDictionary<int, string> texts)
    {
        var pieces = (SentencePiece[])_pieces.Clone();
        foreach (var (id, text) in texts)
        {
            if ((uint)id >= (uint)pieces.Length)
            {
                throw new ArgumentException($"The control piece {text} has id {id}, but the vocabulary ends at {pieces.Length - 1}.", nameof(texts));
            }

            pieces[id] = new SentencePiece(text, -1000f, PieceType.Control);
        }

        return new SentencePieceModel(pieces, Settings);
    }

    /// <summary>The three arrays that GGUF stores (<c>tokenizer.ggml.tokens</c>, <c>.scores</c>, <c>.token_type</c>), in id order.</summary>
    /// <remarks>
    /// Follows llama.cpp's converter for InternLM2: the NUL piece, which C strings cannot hold, is written as a dragon, and
    /// placeholder pieces "[UNUSED…" are typed unused. User-defined pieces keep their type so that llama.cpp, too, never splits them.
    /// </remarks>
    /// <exception cref="InvalidDataException">Two pieces have the same text, which llama.cpp refuses.</exception>
    public (string[] Tokens, float[] Scores, int[] Types) ToGgufArrays()
    {
        var tokens = new string[_pieces.Length];
        var scores = new float[_pieces.Length];
        var types = new int[_pieces.Length];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var id = 0; id < _pieces.Length; id++)
        {
            var piece = _pieces[id];
            tokens[id] = piece.Text == "\0" ? NulReplacement() : piece.Text;
            scores[id] = piece.Score;
            types[id] = (int)(piece.Text.StartsWith("[UNUSED", StringComparison.Ordinal) ? PieceType.Unused : piece.Type);
            if (!seen.Add(tokens[id]))
            {
                throw new InvalidDataException($"the tokenizer vocabulary holds the piece {ErrorText.Quote(tokens[id])} twice; llama.cpp needs every piece to be different.");
            }
        }

        return (tokens, scores, types);
    }

    internal static string Unescape(string piece) => piece.Replace(SpaceSymbol, ' ');

    private string NulReplacement() => _mergeable.ContainsKey("🐉") ? "[NUL]" : "🐉";

    private int ControlId(string piece) =>
        _reserved.TryGetValue(piece, out var id) && _pieces[id].Type == PieceType.Control ? id : -1;

    private void Register(int id, SentencePiece piece)
    {
        if (piece.Text.Length is 0 or > MaxPieceLength || float.IsNaN(piece.Score) || !Enum.IsDefined(piece.Type))
        {
            throw new InvalidDataException($"piece {id} of the tokenizer vocabulary is empty, longer than {MaxPieceLength} characters, without a score or of an unknown type.");
        }

        var map = piece.Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused ? _mergeable : _reserved;
        if (!map.TryAdd(piece.Text, id))
        {
            throw new InvalidDataException($"the tokenizer vocabulary defines the piece {ErrorText.Quote(piece.Text)} twice.");
        }

        switch (piece.Type)
        {
            case PieceType.Unknown when UnknownId >= 0:
                throw new InvalidDataException("the tokenizer vocabulary has two unknown pieces.");
            case PieceType.Unknown:
                UnknownId = id;
                break;
            case PieceType.Byte:
                _byteIds[ByteOf(piece.Text)] = Settings.ByteFallback
                    ? id
                    : throw new InvalidDataException("the tokenizer vocabulary has byte pieces although byte fallback is off.");
                break;
        }
    }

    private static int ByteOf(string piece) =>
        piece.Length == 6 && piece.StartsWith("<0x", StringComparison.Ordinal) && piece[5] == '>'
            && byte.TryParse(piece.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new InvalidDataException($"the byte piece {ErrorText.Quote(piece)} of the tokenizer vocabulary is not of the form <0x41>.");
}
