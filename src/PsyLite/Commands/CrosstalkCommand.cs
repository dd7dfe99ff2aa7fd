using System.CommandLine;
using PsyLite.Agent.Humour;
using PsyLite.Options;
using PsyLite.Store;

namespace PsyLite.Commands;

/// <summary><c>psylite crosstalk</c>: the pieces that may be offered, ours and an operator's.</summary>
internal static class CrosstalkCommand
{
    public static Command Create()
    {
        var command = new Command("crosstalk", "相声段子 · the crosstalk pieces");
        command.Subcommands.Add(List());
        command.Subcommands.Add(Check());
        command.Subcommands.Add(Import());
        return command;
    }

    private static Command List()
    {
        var theme = new Option<string?>("--theme") { Description = "只列这个主题 · only this theme" };
        var command = new Command("list", "列出自带的段子 · list the pieces that come with the program\n  psylite crosstalk list --theme 升职") { theme };
        command.SetAction(parsed =>
        {
            var wanted = parsed.GetValue(theme);
            var pieces = CrosstalkLibrary.FromFolder(AppOptions.FromEnvironment().Crosstalk).Pieces.Where(p => wanted is null || p.Themes.Contains(wanted)).ToList();
            foreach (var piece in pieces)
            {
                Console.WriteLine($"{piece.Id}\t{piece.Title}\t{string.Join(' ', piece.Themes)}\t{piece.Tone}\t{piece.Length}\t{string.Join(' ', piece.Unfit)}");
            }

            Console.Error.WriteLine($"{pieces.Count} 段 pieces");
            return CommandBoundary.Done;
        });
        return command;
    }

    private static Command Check()
    {
        var files = new Argument<string[]>("files") { Description = "YAML 或 JSONL 文件 · YAML or JSONL files", Arity = ArgumentArity.OneOrMore };
        var own = new Option<bool>("--own") { Description = "不要求写许可证 · do not ask for a licence" };
        var command = new Command("check", "审查段子，不导入 · vet pieces without importing them\n  psylite crosstalk check my-pieces.jsonl") { files, own };
        command.SetAction(parsed =>
        {
            var refused = 0;
            var count = 0;
            foreach (var path in parsed.GetRequiredValue(files))
            {
                foreach (var (line, id, fault) in Faults(path, parsed.GetValue(own)))
                {
                    count++;
                    if (fault is not null)
                    {
                        refused++;
                        Console.WriteLine($"{path}:{line}: {id}: {fault}");
                    }
                }
            }

            Console.Error.WriteLine($"{count - refused} 段可用 fit, {refused} 段不可用 refused");
            return refused == 0 ? CommandBoundary.Done : CommandBoundary.Failed;
        });
        return command;
    }

    private static Command Import()
    {
        var files = new Argument<string[]>("files") { Description = "YAML 或 JSONL 文件，每段写明 licence · YAML or JSONL files, each piece with its licence", Arity = ArgumentArity.OneOrMore };
        var into = new Option<string?>("--into") { Description = "索引文件 · index file (PSYLITE_CROSSTALK_INDEX)" };
        var command = new Command("import", "审查并导入自己的段子 · vet pieces and take them into the index\n  psylite crosstalk import my-pieces.jsonl") { files, into };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = AppOptions.FromEnvironment();
            var target = parsed.GetValue(into) ?? options.CrosstalkIndex;
            var paths = parsed.GetRequiredValue(files);
            if (paths.FirstOrDefault(p => !File.Exists(p)) is { } missing)
            {
                throw new FileNotFoundException($"there is no file {missing}; nothing was imported.");
            }

            var embedder = InstalledEmbedder.Open(options);
            using var generator = embedder.Generator;
            var report = await new CrosstalkImport(target, generator).RunAsync(paths, cancellationToken);
            if (generator is null)
            {
                Console.Error.WriteLine($"psylite: 没有嵌入模型，只按词建索引 · no embedding model, indexed by words alone: {embedder.Problem ?? "set PSYLITE_EMBEDDER to a GGUF file such as bge-small-zh-v1.5"}");
            }

            foreach (var reason in report.Refused)
            {
                Console.WriteLine(reason);
            }

            Console.Error.WriteLine($"{report.Imported} 段导入 imported, {report.Kept} 段保留 kept, {report.Refused.Count} 段不可用 refused -> {target}");
            return report.Imported > 0 ? CommandBoundary.Done : CommandBoundary.Failed;
        });
        return command;
    }

    private static IEnumerable<(int Line, string Id, string? Fault)> Faults(string path, bool isOwn) => CrosstalkReader.ReadFile(path).Select(entry =>
        (entry.Line, entry.Piece?.Id ?? "-", entry.Fault ?? (isOwn ? CrosstalkVetting.Fault(entry.Piece!) : CrosstalkVetting.ImportFault(entry.Piece!))));
}
