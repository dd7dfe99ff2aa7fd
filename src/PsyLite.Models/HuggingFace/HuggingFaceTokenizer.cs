using System.Text.Json;
using PsyLite.Models.Text;

namespace PsyLite.Models.HuggingFace;

/// <summary>A token that a configuration writes over a vocabulary entry, or adds behind the last.</summary>
/// <param name="Text">Its text.</param>
/// <param name="IsSpecial">A control token: never produced from text, invisible when decoded.</param>
public readonly record struct AddedToken(string Text, bool IsSpecial);

/// <summary>
/// The tokenizer of a model folder: <c>tokenizer.model</c> and what <c>added_tokens.json</c>, <c>tokenizer_config.json</c>,
/// <c>tokenizer.json</c> and <c>special_tokens_map.json</c> change in it.
/// </summary>
public sealed class HuggingFaceTokenizer
{
    /// <summary>The SentencePiece file.</summary>
    public const string ModelFile = "tokenizer.model";

    /// <summary>Settings, added tokens, chat template.</summary>
    public const string ConfigFile = "tokenizer_config.json";

    /// <summary>Score of an added token, as llama.cpp's converter writes it.</summary>
    private const float AddedScore = -1000f;

    private const int MaxJsonBytes = 64 << 20;

    private readonly SortedDictionary<int, AddedToken> _added = [];
    private readonly Dictionary<string, JsonFlags> _kinds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _idsOfTokenizerJson = new(StringComparer.Ordinal);

    private HuggingFaceTokenizer(string folder, int rows)
    {
        var trained = SentencePieceModel.Load(Path.Combine(folder, ModelFile));
        ReadAddedTokens(Path.Combine(folder, "added_tokens.json"));
        ReadConfig(Path.Combine(folder, ConfigFile));
        ReadTokenizerJson(Path.Combine(folder, "tokenizer.json"));
        ReadTemplateFile(Path.Combine(folder, "chat_template.jinja"));
        if (_added.Count > 0 && _added.Keys.Last() >= rows)
        {
            throw new InvalidDataException($"{folder}: the added token {ErrorText.Quote(_added.Values.Last().Text)} has id {_added.Keys.Last()}, but the model has {rows} rows: resize its embeddings.");
        }

        Model = Merged(trained, rows);
    }

    private readonly record struct JsonFlags(string? Token, bool? IsAdded);

    /// <summary>The vocabulary with one piece for each row of the model.</summary>
    public SentencePieceModel Model { get; }

    /// <summary>Added tokens by id.</summary>
    public IReadOnlyDictionary<int, AddedToken> Added => _added;

    /// <summary>The chat template in Jinja, or null.</summary>
    public string? ChatTemplate { get; private set; }

    /// <summary>Reads the tokenizer of a folder.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="rows">Rows of the model's embeddings.</param>
    /// <exception cref="FileNotFoundException">There is no tokenizer.model.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or they contradict the model.</exception>
    public static HuggingFaceTokenizer Read(string folder, int rows) => new(folder, rows);

    /// <summary>Whether the tokenizer puts such a token on its own: kinds bos, eos…, where the configuration says so.</summary>
    internal IEnumerable<(string Kind, bool IsAdded)> AddedKinds() =>
        HuggingFaceConfig.TokenKinds.Where(k => _kinds.TryGetValue(k, out var flags) && flags.IsAdded is not null).Select(k => (k, _kinds[k].IsAdded!.Value));

    /// <summary>Kinds with their ids as llama.cpp's converter finds them: those in tokenizer.json by their text, then those of config.json.</summary>
    internal IEnumerable<(string Kind, int Id)> SpecialIds(HuggingFaceConfig config)
    {
        var byText = HuggingFaceConfig.TokenKinds
            .Where(k => _kinds.TryGetValue(k, out var flags) && flags.Token is not null && _idsOfTokenizerJson.ContainsKey(flags.Token))
            .Select(k => (Kind: k, Id: _idsOfTokenizerJson[_kinds[k].Token!])).ToList();
        return byText.Concat(HuggingFaceConfig.TokenKinds.Where(k => byText.All(t => t.Kind != k) && config.TokenIds.ContainsKey(k)).Select(k => (Kind: k, Id: config.TokenIds[k])))
            .Where(t => t.Id < Model.VocabSize);
    }

    /// <summary>Tokens, scores and types as llama.cpp's converter for InternLM2 writes them.</summary>
    /// <remarks>
    /// Source: conversion/internlm.py of llama.cpp v0.5.0. One difference: it types user-defined pieces normal. Where such a piece has more
    /// than two characters llama.cpp would then no longer keep it whole, so that it stays user-defined here; with one or two
    /// characters and the highest score it merges first in any case.
    /// </remarks>
    internal (string[] Tokens, float[] Scores, int[] Types) ToGgufArrays()
    {
        var (tokens, scores, types) = Model.ToGgufArrays();
        for (var id = 0; id < tokens.Length; id++)
        {
            if (_added.TryGetValue(id, out var added))
            {
                (scores[id], types[id]) = (AddedScore, (int)(added.IsSpecial ? PieceType.Control : PieceType.UserDefined));
            }
            else if (types[id] == (int)PieceType.UserDefined && scores[id] >= 0 && tokens[id].EnumerateRunes().Count() <= 2)
            {
                types[id] = (int)PieceType.Normal;
            }
        }

        return (tokens, scores, types);
    }

    private SentencePieceModel Merged(SentencePieceModel trained, int rows)
    {
        var pieces = trained.Pieces.Take(rows).ToList();
        for (var id = pieces.Count; id < rows; id++)
        {
            pieces.Add(new SentencePiece($"[UNUSED_ROW_{id}]", AddedScore, PieceType.Unused));
        }

        foreach (var (id, added) in _added)
        {
            var isSame = pieces[id].Text == added.Text && pieces[id].Type is PieceType.UserDefined != added.IsSpecial && pieces[id].Type is not (PieceType.Normal or PieceType.Unused or PieceType.Byte);
            if (!isSame)
            {
                pieces[id] = new SentencePiece(added.Text, AddedScore, added.IsSpecial ? PieceType.Control : PieceType.UserDefined);
            }
        }

        return new SentencePieceModel(pieces, trained.Settings);
    }

    private void ReadAddedTokens(string path) => ReadIfThere(path, root =>
    {
        // The slow tokenizer's own list: text to id, all of them special or typed by tokenizer_config.json below.
        foreach (var token in root.EnumerateObject())
        {
            Add(token.Value.GetInt32(), new AddedToken(token.Name, IsSpecial: true));
        }
    });

    private void ReadConfig(string path) => ReadIfThere(path, root =>
    {
        if (root.Optional("added_tokens_decoder") is { } decoder)
        {
            foreach (var token in decoder.EnumerateObject())
            {
                Add(int.Parse(token.Name, System.Globalization.CultureInfo.InvariantCulture), Token(token.Value));
            }
        }

        ChatTemplate = root.Text("chat_template");
        foreach (var kind in HuggingFaceConfig.TokenKinds)
        {
            var token = root.Text(kind + "_token") ?? (root.Optional(kind + "_token") is { ValueKind: JsonValueKind.Object } entry ? entry.Text("content") : null);
            var adds = root.Optional($"add_{kind}_token") is { ValueKind: JsonValueKind.True or JsonValueKind.False } flag ? flag.GetBoolean() : (bool?)null;
            _kinds[kind] = new JsonFlags(token, adds);
        }
    });

    private void ReadTokenizerJson(string path) => ReadIfThere(path, root =>
    {
        foreach (var token in root.Optional("added_tokens")?.EnumerateArray() ?? default)
        {
            var (id, added) = (token.GetProperty("id").GetInt32(), Token(token));
            Add(id, added);
            _idsOfTokenizerJson.TryAdd(added.Text, id);
        }
    });

    private void ReadTemplateFile(string path)
    {
        if (ChatTemplate is null && File.Exists(path) && new FileInfo(path).Length <= MaxJsonBytes)
        {
            ChatTemplate = File.ReadAllText(path);
        }
    }

    private static void ReadIfThere(string path, Action<JsonElement> read)
    {
        if (File.Exists(path))
        {
            JsonFile.Read(path, MaxJsonBytes, "a tokenizer's configuration", root =>
            {
                read(root);
                return true;
            });
        }
    }

    private static AddedToken Token(JsonElement token) => new(token.GetProperty("content").GetString() ?? "", token.IsTrue("special"));

    private void Add(int id, AddedToken token)
    {
        if (id < 0 || token.Text.Length == 0)
        {
            throw new InvalidDataException($"the added token {ErrorText.Quote(token.Text)} with id {id} is impossible.");
        }

        _added[id] = token;
    }
}
