using System.CommandLine;
using PsyLite.Commands;
using PsyLite.Commands.Bench;

var root = new RootCommand("PsyLite：轻量中文心理支持 · a lightweight Chinese psychological-support agent");
root.Subcommands.Add(ServeCommand.Create());
root.Subcommands.Add(ChatCommand.Create());
root.Subcommands.Add(AssessCommand.Create());
root.Subcommands.Add(DoctorCommand.Create());
root.Subcommands.Add(DataCommand.Create());
root.Subcommands.Add(TrainCommand.Create());
root.Subcommands.Add(ModelCommand.Create());
root.Subcommands.Add(CrosstalkCommand.Create());
root.Subcommands.Add(AccountCommand.Create());
root.Subcommands.Add(StoreCommand.Create());
root.Subcommands.Add(StoreCommand.CreateAudit());
root.Subcommands.Add(EvalCommand.Create());
root.Subcommands.Add(BenchCommand.Create());
return await CommandBoundary.RunAsync(root, args);
