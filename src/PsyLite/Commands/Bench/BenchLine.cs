using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PsyLite.Commands.Bench;

/// <summary>One measurement. <see cref="Ratio"/> is ours / the peer's; peer values are null when the peer is not installed.</summary>
internal sealed record BenchLine(string Bench, string Case, string Metric, double Value, string Unit, string? Peer = null, double? PeerValue = null)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public double? Ratio => PeerValue is { } peer && peer != 0 ? Math.Round(Value / peer, 4) : null;

    public void Print() => Console.WriteLine(JsonSerializer.Serialize(this with { Value = Math.Round(Value, 3), PeerValue = PeerValue is { } peer ? Math.Round(peer, 3) : null }, Json));

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }
}

/// <summary>A program to measure beside; its absence is a line on standard error, not a failure.</summary>
internal static class BenchPeer
{
    /// <returns>Standard output, or null when the program is missing or failed.</returns>
    public static async Task<string?> RunAsync(string? program, string[] arguments, string howToInstall, CancellationToken cancellationToken)
    {
        if (program is null)
        {
            Console.Error.WriteLine($"psylite: {howToInstall}");
            return null;
        }

        try
        {
            var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }

            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode == 0)
            {
                return output;
            }

            Console.Error.WriteLine($"psylite: {program} failed: {(await errors).Split('\n').LastOrDefault(l => l.Length > 0)}");
            return null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Console.Error.WriteLine($"psylite: {program} cannot be started. {howToInstall}");
            return null;
        }
    }
}
