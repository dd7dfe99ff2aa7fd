using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PsyLite.Models.Text;

/// <summary>
/// What a vocabulary of our own may choose. Everything else is fixed by what encodes the same in training and in llama.cpp: BPE, no
/// character normalisation, no dummy prefix, spaces kept, byte fallback, &lt;unk&gt; 0, &lt;s&gt; 1, &lt;/s&gt; 2.
/// </summary>
public sealed record TokenizerRecipe
{
    /// <summary>Number of pieces; a multiple of 256, so that llama.cpp's K-quantisation applies to the embedding.</summary>
    public int VocabSize { get; init; } = 6144;

    /// <summary>Share of the characters of the text that become pieces of their own; the rest is spelt in bytes.</summary>
    public double CharacterCoverage { get; init; } = 0.9999;

    /// <summary>Every digit is a piece of its own.</summary>
    public bool SplitDigits { get; init; } = true;

    /// <summary>Longest piece in characters.</summary>
    public int MaxPieceLength { get; init; } = 16;

    /// <summary>Control pieces; they get the ids from 3 on, in this order.</summary>
    public IReadOnlyList<string> ControlSymbols { get; init; } = [ChatTemplate.StartPiece, ChatTemplate.EndPiece];

    /// <summary>Pieces that are never split; they get the ids behind the control pieces.</summary>
    public IReadOnlyList<string> UserDefinedSymbols { get; init; } = ["<think>", "</think>"];

    /// <summary>Characters that become pieces however rare they are.</summary>
    public string RequiredCharacters { get; init; } = "";

    /// <summary>Reads a recipe file, for example recipes/mini.tokenizer.json.</summary>
    /// <exception cref="InvalidDataException">The file is not a recipe; the message says why in one line.</exception>
    public static TokenizerRecipe Load(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<TokenizerRecipe>(stream, JsonSerializerOptions.Web)?.Validated()
                ?? throw new InvalidDataException($"{path}: the recipe is empty.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>Checks the limits.</summary>
    /// <exception cref="ArgumentException">A value lies outside what spm_train or quantisation allows.</exception>
    public TokenizerRecipe Validated()
    {
        if (VocabSize is < 512 or > 262_144 || VocabSize % 256 != 0)
        {
            throw new ArgumentException($"vocabSize {VocabSize} must be a multiple of 256 from 512 to 262144.");
        }

        if (CharacterCoverage is not (>= 0.98 and <= 1.0) || MaxPieceLength is < 1 or > 512)
        {
            throw new ArgumentException("characterCoverage must lie between 0.98 and 1, maxPieceLength between 1 and 512.");
        }

        return ControlSymbols.Concat(UserDefinedSymbols).All(s => s.Length > 0 && !s.Contains(','))
            ? this
            : throw new ArgumentException("controlSymbols and userDefinedSymbols must not be empty or hold a comma.");
    }
}

/// <summary>Trains a vocabulary with spm_train of SentencePiece, a program that must be installed.</summary>
public static class TokenizerTraining
{
    private const string Program = "spm_train";

    /// <summary>Trains on lines of text and puts the model at <paramref name="path"/> once it is complete and usable. The same text gives the same model.</summary>
    /// <param name="recipe">Size and special pieces.</param>
    /// <param name="lines">Text; a line feed inside an entry separates two training lines.</param>
    /// <param name="path">Where the .model file goes.</param>
    /// <param name="cancellationToken">Ends the program.</param>
    /// <exception cref="InvalidOperationException">spm_train is not installed or failed; the message says what to do in one line.</exception>
    public static async Task<SentencePieceModel> RunAsync(
        TokenizerRecipe recipe, IEnumerable<string> lines, string path, CancellationToken cancellationToken = default)
    {
        var folder = Directory.CreateTempSubdirectory("psylite-tokenizer-");
        try
        {
            var corpus = Path.Combine(folder.FullName, "corpus.txt");

            // spm_train fails on a required character that the text does not hold.
            await File.WriteAllLinesAsync(corpus, lines.Append(string.Join(' ', recipe.RequiredCharacters.EnumerateRunes())), new UTF8Encoding(false), cancellationToken);
            var prefix = Path.Combine(folder.FullName, "trained");
            await RunProgramAsync(Arguments(recipe.Validated(), corpus, prefix), cancellationToken);
            var model = SentencePieceModel.Load(prefix + ".model");
            File.Move(prefix + ".model", path, overwrite: true);
            return model;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The options of spm_train that a recipe stands for.</summary>
    internal static IEnumerable<string> Arguments(TokenizerRecipe recipe, string corpus, string prefix)
    {
        yield return $"--input={corpus}";
        yield return $"--model_prefix={prefix}";
        yield return "--model_type=bpe";
        yield return string.Create(CultureInfo.InvariantCulture, $"--vocab_size={recipe.VocabSize}");
        yield return string.Create(CultureInfo.InvariantCulture, $"--character_coverage={recipe.CharacterCoverage}");
        yield return string.Create(CultureInfo.InvariantCulture, $"--max_sentencepiece_length={recipe.MaxPieceLength}");
        yield return $"--split_digits={(recipe.SplitDigits ? "true" : "false")}";
        yield return $"--control_symbols={string.Join(',', recipe.ControlSymbols)}";
        yield return $"--user_defined_symbols={string.Join(',', recipe.UserDefinedSymbols)}";
        yield return $"--required_chars={recipe.RequiredCharacters}";
        yield return "--normalization_rule_name=identity";
        yield return "--add_dummy_prefix=false";
        yield return "--remove_extra_whitespaces=false";
        yield return "--byte_fallback=true";
        yield return "--unk_id=0";
        yield return "--bos_id=1";
        yield return "--eos_id=2";
        yield return "--pad_id=-1";

        // Longer lines would be skipped without a word.
        yield return "--max_sentence_length=16777216";
        yield return "--shuffle_input_sentence=false";
        yield return "--num_threads=1";
        yield return "--minloglevel=2";
    }

    private static async Task RunProgramAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        using var process = Start(arguments);
        try
        {
            var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"{Program} failed: {Reason(errors)}");
            }
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static Process Start(IEnumerable<string> arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardError = true })!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{Program} is not installed; install SentencePiece (Debian and Ubuntu: apt-get install sentencepiece) and run this again.", e);
        }
    }

    /// <summary>The line before "Program terminated with an unrecoverable error." is the reason; the usual one gets advice.</summary>
    private static string Reason(string errors)
    {
        var line = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .LastOrDefault(l => !l.StartsWith("Program terminated", StringComparison.Ordinal)) ?? "no reason was given.";
        return line.Contains("ocabulary size", StringComparison.Ordinal) ? $"{line} Give more text or change vocabSize." : line;
    }
}
