using System.Diagnostics;
using System.Text;

namespace PsyLite.Tests.Models;

/// <summary>Runs SentencePiece's own programs (Debian package sentencepiece), the oracle of these tests.</summary>
internal static class SpmTools
{
    /// <summary>Trains a model and returns the path of its .model file.</summary>
    public static string Train(string folder, string name, string corpus, params string[] options)
    {
        var input = Path.Combine(folder, name + ".txt");
        File.WriteAllText(input, corpus);
        Run("spm_train", [$"--input={input}", $"--model_prefix={Path.Combine(folder, name)}", "--minloglevel=2", "--num_threads=1", .. options], "");
        return Path.Combine(folder, name + ".model");
    }

    /// <summary>Ids of each line by spm_encode.</summary>
    public static int[][] Encode(string model, IEnumerable<string> lines, params string[] options) =>
        [.. Lines(Run("spm_encode", [$"--model={model}", "--output_format=id", .. options], string.Concat(lines.Select(l => l + "\n"))))
            .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray())];

    /// <summary>Text of each line of ids by spm_decode.</summary>
    public static string[] Decode(string model, IEnumerable<int[]> lines) =>
        Lines(Run("spm_decode", [$"--model={model}", "--input_format=id"], string.Concat(lines.Select(l => string.Join(' ', l) + "\n"))));

    private static string[] Lines(string output) => output.Split('\n')[..^1];

    private static string Run(string program, string[] arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = new UTF8Encoding(false),
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var feed = Task.Run(() =>
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        });
        var output = process.StandardOutput.ReadToEnd();
        feed.Wait();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} failed: {error.Result}");
    }
}
